package org.backplane.loader;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.backplane.kvm.spi.boot.BootException;
import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.service.component.annotations.Component;

/**
 * Linux bzImage. By the 32-bit boot protocol the kernel is entered in protected mode with a filled {@code boot_params}, as a boot
 * loader does that has asked the BIOS everything itself. By the 16-bit one, when the caller wants that, its setup code is entered in real mode once the
 * BIOS has run, and asks itself. Source: Linux {@code Documentation/arch/x86/boot.rst}, sections "The
 * Real-Mode Kernel Header", "Running the Kernel" and "32-bit BOOT PROTOCOL".
 *
 * <pre>
 * 00001000  GDT of the entry state
 * 00010000  boot_params ("zero page")
 * 00020000  command line
 * 00090000  setup code, its heap up to 0009E000, command line; the option ROM that starts it is at 000C8000 (16-bit protocol)
 * 00100000  protected-mode kernel
 *  ...top   initrd, page-aligned, as high as memory and the kernel's limit allow
 * </pre>
 */
@Component
public final class BzImageLoader implements BootLoader {
    private static final long GDT = 0x1000, BOOT_PARAMS = 0x10000, COMMAND_LINE = 0x20000, KERNEL = 0x100000;
    private static final long COMMAND_LINE_ROOM = 0x10000;
    private static final int MIN_VERSION = 0x202;

    /** Offsets in boot_params and in the file alike. */
    private static final int SETUP_HEADER = 0x1f1,
            SETUP_SECTS = 0x1f1,
            SYSSIZE = 0x1f4,
            BOOT_FLAG = 0x1fe,
            JUMP_LENGTH = 0x201,
            MAGIC = 0x202,
            VERSION = 0x206,
            TYPE_OF_LOADER = 0x210,
            LOADFLAGS = 0x211,
            RAMDISK_IMAGE = 0x218,
            RAMDISK_SIZE = 0x21c,
            HEAP_END_PTR = 0x224,
            CMD_LINE_PTR = 0x228,
            INITRD_ADDR_MAX = 0x22c,
            CMDLINE_SIZE = 0x238,
            INIT_SIZE = 0x260;

    private static final long HDRS = 0x53726448;
    private static final int LOADED_HIGH = 1, CAN_USE_HEAP = 0x80;

    /** The 16-bit protocol: linear address of the setup code, its largest size, offset of its heap's end, end of the command line's room. */
    private static final long SETUP = 0x90000, SETUP_COMMAND_LINE_END = 0x9fc00;

    private static final int SETUP_ROOM = 0x8000, SETUP_HEAP_END = 0xe000;

    @Override
    public String type() {
        return "bzimage";
    }

    @Override
    public String description() {
        return "Linux bzImage, 32-bit boot protocol, or 16-bit after the BIOS";
    }

    @Override
    public boolean recognises(byte[] image) {
        Image k = new Image(image);
        return k.length() > MAGIC + 4 && k.u16(BOOT_FLAG) == 0xaa55 && k.u32(MAGIC) == HDRS;
    }

    @Override
    public void load(Request r) throws BootException {
        Image k = new Image(r.kernel());
        int version = k.u16(VERSION);
        if (version < MIN_VERSION || (k.u8(LOADFLAGS) & LOADED_HIGH) == 0) {
            throw new BootException(String.format(
                    "kernel: %s is no bzImage that loads high (boot protocol %d.%02d)", r.kernelPath(), version >> 8, version & 0xff));
        }
        int setupSectors = k.u8(SETUP_SECTS) == 0 ? 4 : k.u8(SETUP_SECTS);
        int setup = (setupSectors + 1) * 512;
        long size = k.u32(SYSSIZE) * 16;
        k.require(setup, "the setup code", r.kernelPath());
        // The last 16-byte unit may be cut short by the file's end.
        k.require(setup + size - 15, "the protected-mode code", r.kernelPath());
        int codeLength = k.length() - setup;
        long top = usableTop(r);
        long needed = KERNEL + Math.max(codeLength, version >= 0x20a ? k.u32(INIT_SIZE) : 0);
        if (needed > top) {
            throw new BootException(String.format(
                    "m: %s needs at least %d MiB of memory, there are %d", r.kernelPath(), (needed >> 20) + 1, top >> 20));
        }
        long lineRoom = version >= 0x206 ? k.u32(CMDLINE_SIZE) : 255;
        long initrdTop = Math.min(top, (version >= 0x203 ? k.u32(INITRD_ADDR_MAX) : 0x37ffffffL) + 1);
        r.write(KERNEL, r.kernel(), setup, codeLength);
        if (r.realModeEntry()) {
            setupCode(r, k, setup, lineRoom, initrdTop, needed);
            return;
        }
        Image params = new Image(4096);
        int headerEnd = Math.min(MAGIC + k.u8(JUMP_LENGTH), 0x290);
        params.copy(k, SETUP_HEADER, headerEnd - SETUP_HEADER);
        params.put8(TYPE_OF_LOADER, 0xff);
        screenInfo(params);
        memory(params, r.memoryMap());
        commandLine(r, params, COMMAND_LINE, Math.min(lineRoom, COMMAND_LINE_ROOM - 1));
        initrd(r, params, initrdTop, needed);
        r.write(BOOT_PARAMS, params.bytes(), 0, params.length());
        FlatEntry.set(r, GDT, KERNEL);
        r.cpu().gpr[CpuState.RSI] = BOOT_PARAMS;
    }

    /** The 16-bit protocol: the setup code with its header filled in, and an option ROM that enters it. */
    private static void setupCode(Request r, Image k, int size, long lineRoom, long initrdTop, long kernelEnd) throws BootException {
        if (size > SETUP_ROOM) {
            throw new BootException("kernel: the setup code of " + r.kernelPath() + " has " + size + " bytes, there is room for " + SETUP_ROOM);
        }
        Image setup = new Image(size);
        setup.copy(k, 0, size);
        setup.put8(TYPE_OF_LOADER, 0xff).put8(LOADFLAGS, k.u8(LOADFLAGS) | CAN_USE_HEAP).put16(HEAP_END_PTR, SETUP_HEAP_END - 0x200);
        long line = SETUP + SETUP_HEAP_END;
        commandLine(r, setup, line, Math.min(lineRoom, SETUP_COMMAND_LINE_END - line - 1));
        initrd(r, setup, initrdTop, kernelEnd);
        r.write(SETUP, setup.bytes(), 0, size);
        byte[] rom = SetupCodeRom.image((int) (SETUP >> 4), SETUP_HEAP_END);
        r.write(SetupCodeRom.ADDRESS, rom, 0, rom.length);
    }

    /** VGA text mode 3, 80 by 25, as the firmware leaves it. */
    private static void screenInfo(Image p) {
        p.put8(0x06, 3).put8(0x07, 80).put8(0x0e, 25).put8(0x0f, 1).put16(0x10, 16);
    }

    private static void memory(Image p, List<Range> map) {
        int n = 0;
        long extended = 0;
        for (Range e : map) {
            int at = 0x2d0 + 20 * n++;
            p.put64(at, e.gpa()).put64(at + 8, e.length()).put32(at + 16, e.type());
            if (e.gpa() == KERNEL) extended = e.length() >> 10;
        }
        p.put8(0x1e8, n);
        p.put16(0x02, (int) Math.min(extended, 0xfc00));
        p.put32(0x1e0, extended);
    }

    private static void commandLine(Request r, Image p, long at, long limit) throws BootException {
        byte[] text = (r.commandLine() + "\0").getBytes(StandardCharsets.ISO_8859_1);
        if (text.length - 1 > limit) {
            throw new BootException("append: the command line has " + (text.length - 1) + " characters, the kernel takes " + limit);
        }
        r.write(at, text, 0, text.length);
        p.put32(CMD_LINE_PTR, at);
    }

    private static void initrd(Request r, Image p, long top, long kernelEnd) throws BootException {
        int length = r.initrd().length;
        if (length == 0) return;
        long at = top - length & ~4095L;
        if (at < kernelEnd) {
            throw new BootException(String.format(
                    "initrd: %d KiB do not fit between the kernel's end at %d MiB and %d MiB: more memory (-m) is needed",
                    length >> 10,
                    kernelEnd >> 20,
                    top >> 20));
        }
        r.write(at, r.initrd(), 0, length);
        p.put32(RAMDISK_IMAGE, at).put32(RAMDISK_SIZE, length);
    }

    /** End of the usable memory that begins at 1 MiB. */
    private static long usableTop(Request r) {
        for (Range e : r.memoryMap()) if (e.type() == 1 && e.gpa() == KERNEL) return e.gpa() + e.length();
        return KERNEL;
    }
}
