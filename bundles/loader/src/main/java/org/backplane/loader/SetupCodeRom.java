package org.backplane.loader;

/**
 * An option ROM that boots what the loader put into memory: its entry, which the firmware calls, takes over interrupt 19h; when the firmware has
 * finished and calls that to start an operating system, the kernel's 16-bit setup code is entered as the boot protocol wants it: CS is 0x20
 * paragraphs above the other segments, SP at the heap's end, interrupts off.
 */
final class SetupCodeRom {
    /** Where firmware looks for option ROMs first, behind the video BIOS. */
    static final long ADDRESS = 0xc8000;

    private static final int LENGTH = 512;

    private SetupCodeRom() {}

    /**
     * @param segment of the setup code's first sector
     * @param stackPointer end of its heap
     */
    static byte[] image(int segment, int stackPointer) {
        int[] code = {
            0x55, 0xaa, LENGTH / 512, // mark, and length in units of 512 bytes
            // Entry: the vector of int 19h
            0x1e, // push ds
            0x50, // push ax
            0x31, 0xc0, // xor ax, ax
            0x8e, 0xd8, // mov ds, ax
            0xc7, 0x06, 0x64, 0x00, 0x17, 0x00, // mov word [19h * 4], start
            0x8c, 0x0e, 0x66, 0x00, // mov [19h * 4 + 2], cs
            0x58, // pop ax
            0x1f, // pop ds
            0xcb, // retf
            0x90, // nop
            // start, at 0x17
            0xfa, // cli
            0xfc, // cld
            0xb8, segment & 0xff, segment >> 8, // mov ax, segment
            0x8e, 0xd8, // mov ds, ax
            0x8e, 0xc0, // mov es, ax
            0x8e, 0xe0, // mov fs, ax
            0x8e, 0xe8, // mov gs, ax
            0x8e, 0xd0, // mov ss, ax
            0xbc, stackPointer & 0xff, stackPointer >> 8, // mov sp, stackPointer
            0xea, 0x00, 0x00, segment + 0x20 & 0xff, segment + 0x20 >> 8, // jmp segment + 20h:0
        };
        byte[] rom = new byte[LENGTH];
        int sum = 0;
        for (int i = 0; i < code.length; i++) {
            rom[i] = (byte) code[i];
            sum += code[i];
        }
        rom[LENGTH - 1] = (byte) -sum;
        return rom;
    }
}
