package org.backplane.kvm.spi.cpu;

/**
 * Pages of guest memory that stand in for what real mode has not. The core fills them and keeps them out of the memory map that the firmware
 * reports; the processor reads them while a guest without paging runs.
 *
 * <p>The TSS (three pages): all zero, but for the offset of the I/O map, 0x88, at 0x66, and the byte 0xFF that ends the map at 0x2088. So every
 * port may be accessed as far as the TSS is concerned, and no software interrupt is redirected (SDM 3A 7.2.1, 3B 20.3.3).
 *
 * @param tss gpa of the TSS
 * @param identityMap gpa of a page directory of 1,024 entries of 4 MiB that maps every linear address to itself
 */
public record RealModePages(long tss, long identityMap) {
    /** Where later KVM puts them, in the hole below the ROM under 4 GiB. */
    public static final RealModePages STANDARD = new RealModePages(0xfffbd000L, 0xfffbc000L);

    /** Limit of the TSS: 0x68 bytes, 32 of the interrupt redirection map, 8 KiB of the I/O map, and its last byte. */
    public static final int TSS_LIMIT = 0x68 + 0x20 + 0x2000;
}
