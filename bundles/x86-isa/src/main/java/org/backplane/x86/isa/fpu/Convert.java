package org.backplane.x86.isa.fpu;

/**
 * Widening of memory operands to the 80-bit format. It is exact; a signalling NaN stays signalling, and a denormal becomes a normal
 * number, so that the caller has to ask {@link #isDenormal32} or {@link #isDenormal64} for DE.
 */
final class Convert {
    /** Difference of the exponent biases. */
    static final int REBIAS64 = Ext.BIAS - 1023, REBIAS32 = Ext.BIAS - 127;

    private Convert() {}

    static boolean isDenormal64(long bits) {
        return (bits >>> 52 & 0x7ff) == 0 && bits << 12 != 0;
    }

    static int signExp64(long bits) {
        int sign = (int) (bits >>> 48) & 0x8000, exp = (int) (bits >>> 52) & 0x7ff;
        if (exp == 0x7ff) return sign | Ext.MAX;
        if (exp != 0) return sign | exp + REBIAS64;
        long fraction = bits << 12;
        return fraction == 0 ? sign : sign | REBIAS64 - Long.numberOfLeadingZeros(fraction);
    }

    static long mantissa64(long bits) {
        if ((bits >>> 52 & 0x7ff) != 0) return bits << 11 | Ext.INTEGER_BIT;
        long fraction = bits << 12;
        return fraction == 0 ? 0 : Ext.significand(fraction);
    }

    static boolean isDenormal32(int bits) {
        return (bits >>> 23 & 0xff) == 0 && bits << 9 != 0;
    }

    static int signExp32(int bits) {
        int sign = bits >>> 16 & 0x8000, exp = bits >>> 23 & 0xff;
        if (exp == 0xff) return sign | Ext.MAX;
        if (exp != 0) return sign | exp + REBIAS32;
        int fraction = bits << 9;
        return fraction == 0 ? sign : sign | REBIAS32 - Integer.numberOfLeadingZeros(fraction);
    }

    static long mantissa32(int bits) {
        if ((bits >>> 23 & 0xff) != 0) return (long) bits << 40 | Ext.INTEGER_BIT;
        int fraction = bits << 9;
        return fraction == 0 ? 0 : (long) (fraction << Integer.numberOfLeadingZeros(fraction)) << 32;
    }

    static int signExpInteger(long value) {
        if (value == 0) return 0;
        int sign = value < 0 ? 0x8000 : 0;
        return sign | Ext.BIAS + 63 - Long.numberOfLeadingZeros(Math.abs(value));
    }

    static long mantissaInteger(long value) {
        long magnitude = Math.abs(value);
        return magnitude == 0 ? 0 : Ext.significand(magnitude);
    }
}
