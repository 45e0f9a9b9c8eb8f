package org.backplane.devfdc;

import java.util.function.Consumer;

/**
 * The commands (82077AA data sheet, table 5-1). A command is known by some bits of its first byte; the others are options.
 *
 * <p>SCAN commands, which no PC software uses, are answered as invalid.
 */
enum Command {
    READ_TRACK(0x02, 0xbf, 9, f -> f.transfer.readTrack()),
    SPECIFY(0x03, 0xff, 3, f -> f.control.specify()),
    SENSE_DRIVE(0x04, 0xff, 2, f -> f.control.senseDrive()),
    WRITE_DATA(0x05, 0x3f, 9, f -> f.transfer.write()),
    READ_DATA(0x06, 0x1f, 9, f -> f.transfer.read()),
    RECALIBRATE(0x07, 0xff, 2, f -> f.control.recalibrate()),
    SENSE_INTERRUPT(0x08, 0xff, 1, f -> f.control.senseInterrupt()),
    WRITE_DELETED(0x09, 0x3f, 9, f -> f.transfer.write()),
    READ_ID(0x0a, 0xbf, 2, f -> f.transfer.readId()),
    READ_DELETED(0x0c, 0x1f, 9, f -> f.transfer.readDeleted()),
    FORMAT(0x0d, 0xbf, 6, f -> f.transfer.format()),
    DUMPREG(0x0e, 0xff, 1, f -> f.control.dumpRegisters()),
    SEEK(0x0f, 0xff, 3, f -> f.control.seek()),
    VERSION(0x10, 0xff, 1, f -> f.control.version()),
    PERPENDICULAR(0x12, 0xff, 2, f -> f.control.perpendicular()),
    CONFIGURE(0x13, 0xff, 4, f -> f.control.configure()),
    LOCK(0x14, 0x7f, 1, f -> f.control.lock()),
    VERIFY(0x16, 0x1f, 9, f -> f.transfer.verify()),
    RELATIVE_SEEK(0x8f, 0xbf, 3, f -> f.control.relativeSeek()),
    INVALID(0x00, 0x00, 1, f -> f.control.invalid());

    /** Bits of the first byte: multi-track, MFM, skip; direction of a relative seek. */
    static final int MULTI_TRACK = 0x80;

    static final int MFM = 0x40;
    static final int SKIP = 0x20;
    static final int INWARDS = 0x40;

    private static final Command[] ALL = values();

    private final int code;
    private final int mask;
    /** Bytes of the command phase. */
    final int length;
    /** What it does once its bytes are there. */
    final Consumer<Fdc> action;

    Command(int code, int mask, int length, Consumer<Fdc> action) {
        this.code = code;
        this.mask = mask;
        this.length = length;
        this.action = action;
    }

    /** {@link #INVALID} when there is none. */
    static Command of(int firstByte) {
        for (Command c : ALL) if ((firstByte & c.mask) == c.code) return c;
        return INVALID;
    }
}
