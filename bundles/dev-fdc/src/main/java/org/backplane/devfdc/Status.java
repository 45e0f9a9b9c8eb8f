package org.backplane.devfdc;

/** Bits of the status bytes 0 to 3 (82077AA data sheet, section 6). */
final class Status {
    /** Status 0, interrupt code: ended abnormally. */
    static final int ABNORMAL = 0x40;
    /** Status 0, interrupt code: invalid command. */
    static final int INVALID = 0x80;
    /** Status 0, interrupt code: ready changed, which is what polling after a reset reports. */
    static final int POLLING = 0xc0;

    static final int SEEK_END = 0x20;
    static final int EQUIPMENT_CHECK = 0x10;

    static final int ST1_END_OF_CYLINDER = 0x80;
    static final int ST1_DATA_ERROR = 0x20;
    static final int ST1_OVERRUN = 0x10;
    static final int ST1_NO_DATA = 0x04;
    static final int ST1_NOT_WRITABLE = 0x02;
    static final int ST1_MISSING_ADDRESS_MARK = 0x01;

    static final int ST2_CONTROL_MARK = 0x40;
    static final int ST2_DATA_ERROR = 0x20;
    static final int ST2_WRONG_CYLINDER = 0x10;
    static final int ST2_BAD_CYLINDER = 0x02;

    static final int ST3_WRITE_PROTECTED = 0x40;
    static final int ST3_ALWAYS = 0x28;
    static final int ST3_TRACK0 = 0x10;

    private Status() {}
}
