package org.backplane.devrtc;

import org.backplane.devicekit.RegisterArray;

/** What the set-up program of a PC has left in CMOS memory: the places that firmware and operating systems look at. */
final class CmosContents {
    private static final int FLOPPY_TYPES = 0x10;
    private static final int EQUIPMENT = 0x14;
    private static final int BASE_MEMORY = 0x15;
    private static final int EXTENDED_MEMORY = 0x17;
    private static final int CHECKSUM = 0x2e;
    private static final int EXTENDED_MEMORY_FOUND = 0x30;
    private static final int MEMORY_ABOVE_16M = 0x34;
    private static final int BOOT_THIRD = 0x38;
    private static final int BOOT_FIRST_AND_SECOND = 0x3d;

    private static final int TYPE_1440K = 4;
    private static final int EQUIPMENT_FLOPPY = 0x01;
    private static final int EQUIPMENT_FPU = 0x02;
    private static final int EQUIPMENT_SECOND_FLOPPY = 0x40;

    private CmosContents() {}

    /**
     * @param ram in bytes
     * @param floppies drives of 1.44 MB, 0 to 2
     * @param bootOrder letters as in {@code -boot}: a floppy, c disk, d CD, n network
     */
    static void fill(RegisterArray cmos, long ram, int floppies, String bootOrder) {
        cmos.set(FLOPPY_TYPES, (floppies > 0 ? TYPE_1440K << 4 : 0) | (floppies > 1 ? TYPE_1440K : 0));
        cmos.set(EQUIPMENT, EQUIPMENT_FPU | (floppies > 0 ? EQUIPMENT_FLOPPY : 0) | (floppies > 1 ? EQUIPMENT_SECOND_FLOPPY : 0));
        word(cmos, BASE_MEMORY, Math.min(ram >> 10, 640));
        long extended = Math.max(0, ram - (1 << 20)) >> 10;
        word(cmos, EXTENDED_MEMORY, extended);
        word(cmos, EXTENDED_MEMORY_FOUND, extended);
        word(cmos, MEMORY_ABOVE_16M, Math.max(0, ram - (16 << 20)) >> 16);
        // SeaBIOS reads three nibbles: first, second (0x3d), third (0x38 high).
        cmos.set(BOOT_FIRST_AND_SECOND, bootDevice(bootOrder, 0) | bootDevice(bootOrder, 1) << 4);
        cmos.set(BOOT_THIRD, bootDevice(bootOrder, 2) << 4);
        checksum(cmos);
    }

    private static int bootDevice(String order, int place) {
        if (place >= order.length()) return 0;
        return switch (order.charAt(place)) {
            case 'a', 'b' -> 1;
            case 'c' -> 2;
            case 'd' -> 3;
            case 'n' -> 4;
            default -> 0;
        };
    }

    /** Low byte first; what does not fit is 65535. */
    private static void word(RegisterArray cmos, int at, long value) {
        long v = Math.min(value, 0xffff);
        cmos.set(at, v & 0xff);
        cmos.set(at + 1, v >> 8);
    }

    /** The sum of 0x10 to 0x2d, high byte first. */
    private static void checksum(RegisterArray cmos) {
        int sum = 0;
        for (int i = 0x10; i <= 0x2d; i++) sum += cmos.value(i);
        cmos.set(CHECKSUM, sum >> 8 & 0xff);
        cmos.set(CHECKSUM + 1, sum & 0xff);
    }
}
