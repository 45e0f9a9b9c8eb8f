package com.example.sensor;

import org.backplane.kvm.spi.device.DeviceContext;

/**
 * The room that the sensor is in. It warms up evenly and cools down evenly, for ever, and is coldest when the VM's clock is at 0: its
 * temperature is a function of that clock, so it is nobody's state, and a test knows it.
 */
final class Room {
    private static final double LOWEST = -273.15, HIGHEST = 1000;

    private final long coldest;
    private final long hottest;
    private final long halfCycle;

    /**
     * @param coldest in degrees Celsius
     * @param hottest in degrees Celsius
     * @param cycle from coldest to hottest and back, in seconds
     */
    private Room(double coldest, double hottest, double cycle) {
        this.coldest = Math.round(coldest * 1000);
        this.hottest = Math.round(hottest * 1000);
        this.halfCycle = Math.round(cycle * 1e9 / 2);
    }

    /** The room that the properties of the slot describe. */
    static Room of(DeviceContext context) {
        double coldest = number(context, "coldest", LOWEST, HIGHEST);
        return new Room(coldest, number(context, "hottest", coldest, HIGHEST), number(context, "cycle", 0.001, 1e6));
    }

    private static double number(DeviceContext context, String property, double least, double most) {
        String text = context.property(property);
        try {
            double d = Double.parseDouble(text);
            if (d >= least && d <= most) return d;
        } catch (NumberFormatException e) {
            // The same message is for what is no number.
        }
        throw new IllegalArgumentException(String.format("sensor: %s should be a number from %s to %s, is %s", property, least, most, text));
    }

    /** The temperature at a time of the VM's clock, in thousandths of a degree Celsius. */
    int milliCelsius(long nanos) {
        long phase = nanos % (2 * halfCycle);
        long rising = phase < halfCycle ? phase : 2 * halfCycle - phase;
        return (int) (coldest + Math.round((double) (hottest - coldest) * rising / halfCycle));
    }
}
