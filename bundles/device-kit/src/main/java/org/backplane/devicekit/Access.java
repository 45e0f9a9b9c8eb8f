package org.backplane.devicekit;

/** What the guest can do with the bits of a {@link Field}. The device itself may always read and set them. */
public enum Access {
    READ_WRITE,
    /** Writes are ignored. */
    READ_ONLY,
    /** Kept when written; reads as zeros. */
    WRITE_ONLY,
    /** Writing a one clears the bit, writing a zero leaves it. */
    WRITE_ONE_TO_CLEAR,
    /** Writing a one sets the bit, writing a zero leaves it: only the device clears it. */
    WRITE_ONE_TO_SET,
    /** Writing a one inverts the bit, writing a zero leaves it. */
    WRITE_ONE_TO_TOGGLE,
    /** Reading gives the bits and clears them. Writes are ignored. */
    READ_TO_CLEAR,
    /** Reads as zeros, writes are ignored. The same holds for bits that no field covers. */
    RESERVED,
    /** Reads as ones, writes are ignored. */
    RESERVED_ONES,
    /** The hardware has it and this device does not: kept and read back, and logged once when the guest changes it. */
    UNIMPLEMENTED
}
