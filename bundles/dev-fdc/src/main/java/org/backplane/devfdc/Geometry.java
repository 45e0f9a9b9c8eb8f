package org.backplane.devfdc;

/**
 * How a medium is formatted: sectors of 512 bytes, the same number on each track.
 *
 * @param cylinders per side
 * @param heads 1 or 2
 * @param sectors per track
 * @param rates bit set of the data rates, as coded in DSR and CCR, at which it can be read
 */
record Geometry(int cylinders, int heads, int sectors, int rates) {
    static final int SECTOR = 512;
    /** Codes of the data rates: 500, 300, 250 kbit/s, 1 Mbit/s. */
    private static final int HIGH = 1;

    private static final int IN_FAST_DRIVE = 1 << 1;
    private static final int DOUBLE = 1 << 2;
    private static final int EXTRA = 1 << 3;

    /** The formats of the PC, by size. Those of 40 cylinders and of 1.2M are 5.25 inch; a fast drive reads the former at 300 kbit/s. */
    private static final Geometry[] FORMATS = {
        new Geometry(40, 1, 8, DOUBLE | IN_FAST_DRIVE), // 160K
        new Geometry(40, 1, 9, DOUBLE | IN_FAST_DRIVE), // 180K
        new Geometry(40, 2, 8, DOUBLE | IN_FAST_DRIVE), // 320K
        new Geometry(40, 2, 9, DOUBLE | IN_FAST_DRIVE), // 360K
        new Geometry(80, 2, 9, DOUBLE), // 720K
        new Geometry(80, 2, 15, HIGH), // 1.2M
        new Geometry(80, 2, 18, HIGH), // 1.44M
        new Geometry(80, 2, 21, HIGH), // 1.68M
        new Geometry(80, 2, 36, EXTRA), // 2.88M
    };

    /** @return null if no format has this size in bytes */
    static Geometry ofSize(long size) {
        for (Geometry g : FORMATS) if (g.bytes() == size) return g;
        return null;
    }

    /** The sizes that {@link #ofSize} knows, for messages: {@code 160K, 180K, … 2880K}. */
    static String sizes() {
        StringBuilder s = new StringBuilder();
        for (Geometry g : FORMATS) s.append(s.isEmpty() ? "" : ", ").append(g.bytes() / 1024).append('K');
        return s.toString();
    }

    long bytes() {
        return (long) cylinders * heads * sectors * SECTOR;
    }

    /** Readable at the data rate of this code, 0 to 3. */
    boolean readableAt(int rate) {
        return (rates & 1 << rate) != 0;
    }

    /** Place of a sector in the image, in bytes; {@code sector} counts from 1. */
    long position(int cylinder, int head, int sector) {
        return (((long) cylinder * heads + head) * sectors + sector - 1) * SECTOR;
    }
}
