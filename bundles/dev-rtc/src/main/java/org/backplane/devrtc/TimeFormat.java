package org.backplane.devrtc;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * Between seconds since 1970 and the bytes of the clock registers: BCD or binary, 24 or 12 hours, as register B says.
 *
 * @param binary DM: values are binary, else BCD
 * @param hours24 hours are 0 to 23, else 1 to 12 with bit 7 for p.m.
 */
record TimeFormat(boolean binary, boolean hours24) {
    // Addresses of the time in CMOS.
    static final int SECONDS = 0;
    static final int MINUTES = 2;
    static final int HOURS = 4;
    static final int WEEKDAY = 6;
    static final int DAY = 7;
    static final int MONTH = 8;
    static final int YEAR = 9;
    static final int CENTURY = 0x32;

    static final int[] ADDRESSES = {SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY};

    /** The byte at one of the time's addresses. */
    int encode(long epochSeconds, int address) {
        LocalDateTime t = LocalDateTime.ofEpochSecond(epochSeconds, 0, ZoneOffset.UTC);
        return switch (address) {
            case SECONDS -> number(t.getSecond());
            case MINUTES -> number(t.getMinute());
            case HOURS -> hour(t.getHour());
            // Sunday is 1.
            case WEEKDAY -> number(t.getDayOfWeek().getValue() % 7 + 1);
            case DAY -> number(t.getDayOfMonth());
            case MONTH -> number(t.getMonthValue());
            case YEAR -> number(t.getYear() % 100);
            default -> number(t.getYear() / 100 % 100);
        };
    }

    /** Seconds since 1970 of a set of bytes, indexed by address. Days and the like that are out of range run over into the next unit. */
    long decode(int[] bytes) {
        int year = value(bytes[CENTURY]) * 100 + value(bytes[YEAR]);
        LocalDate date = LocalDate.of(year, 1, 1).plusMonths(value(bytes[MONTH]) - 1L).plusDays(value(bytes[DAY]) - 1L);
        return date.toEpochDay() * 86400L + hourValue(bytes[HOURS]) * 3600L + value(bytes[MINUTES]) * 60L + value(bytes[SECONDS]);
    }

    int number(int v) {
        return binary ? v : v / 10 << 4 | v % 10;
    }

    /** Any byte gives a number: digits above 9 count for what they are. */
    int value(int b) {
        return binary ? b : (b >> 4) * 10 + (b & 15);
    }

    int hour(int h) {
        if (hours24) return number(h);
        int twelve = h % 12 == 0 ? 12 : h % 12;
        return number(twelve) | (h >= 12 ? 0x80 : 0);
    }

    int hourValue(int b) {
        if (hours24) return value(b);
        return value(b & 0x7f) % 12 + ((b & 0x80) != 0 ? 12 : 0);
    }
}
