package org.backplane.shell;

import java.util.Locale;

/** Numbers for people. */
final class Units {
    private Units() {}

    /** 1234567 as 1,234,567; other text as it is. */
    static String count(String digits) {
        return digits == null ? "" : digits.matches("-?[0-9]{1,18}") ? count(Long.parseLong(digits)) : digits;
    }

    static String count(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    /** A size in the largest unit of which it is a multiple. */
    static String bytes(long n) {
        if (n != 0 && (n & (1L << 30) - 1) == 0) return count(n >> 30) + " GiB";
        if (n != 0 && (n & (1L << 20) - 1) == 0) return count(n >> 20) + " MiB";
        return (n & 1023) == 0 ? count(n >> 10) + " KiB" : count(n) + " B";
    }

    static String seconds(double seconds) {
        return String.format(Locale.ROOT, seconds == Math.rint(seconds) ? "%.0f s" : "%.1f s", seconds);
    }

    /** A duration with three digits. */
    static String duration(long nanos) {
        if (nanos < 1_000_000) return scaled(nanos / 1e3, "µs");
        return nanos < 1_000_000_000 ? scaled(nanos / 1e6, "ms") : scaled(nanos / 1e9, "s");
    }

    private static String scaled(double value, String unit) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, unit);
    }
}
