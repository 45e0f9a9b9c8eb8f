package org.backplane.devpit;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;

/** A channel as software sees it through one port: bytes in, bytes out, and the latches between the port and the {@link Counter}. */
final class Channel {
    final Counter counter;

    private final Register lowByte;
    private final Register lowWritten;
    private final Register highNext;
    private final Register latch;
    /** Bytes of the latched count that wait to be read: 0, 1 or 2. */
    private final Register latchLeft;

    private final Register status;
    private final Register statusLatched;

    Channel(RegisterFile file, String name, boolean gateHigh) {
        counter = new Counter(file, name, gateHigh);
        lowByte = file.register(name + ".low_byte", 8);
        lowWritten = file.register(name + ".low_written", 8);
        highNext = file.register(name + ".high_next", 8);
        latch = file.register(name + ".latch", 16);
        latchLeft = file.register(name + ".latch_left", 8);
        status = file.register(name + ".status", 8);
        statusLatched = file.register(name + ".status_latched", 8);
    }

    void control(int word, long now) {
        counter.control(word, now);
        lowWritten.set(0);
        highNext.set(0);
        latchLeft.set(0);
        statusLatched.set(0);
    }

    /** A latch that has not been read is kept (231164, "Counter Latch Command"). */
    void latchCount(long now) {
        if (latchLeft.value() != 0) return;
        latch.set(counter.count(now));
        latchLeft.set(counter.readWrite() == 3 ? 2 : 1);
    }

    void latchStatus(long now) {
        if (statusLatched.value() != 0) return;
        status.set(counter.status(now));
        statusLatched.set(1);
    }

    void write(int b, long now) {
        switch (counter.readWrite()) {
            case 1 -> counter.load(b, now);
            case 2 -> counter.load(b << 8, now);
            default -> {
                if (lowWritten.value() == 0) {
                    lowByte.set(b);
                    lowWritten.set(1);
                    counter.firstByte(now);
                } else {
                    lowWritten.set(0);
                    counter.load(b << 8 | lowByte.intValue(), now);
                }
            }
        }
    }

    /** Status if latched, then the latched count, then the count as it runs. */
    int read(long now) {
        if (statusLatched.value() != 0) {
            statusLatched.set(0);
            return status.intValue();
        }
        int count;
        if (latchLeft.value() != 0) {
            count = latch.intValue();
            latchLeft.set(latchLeft.value() - 1);
        } else {
            count = counter.count(now);
        }
        return switch (counter.readWrite()) {
            case 1 -> count & 0xff;
            case 2 -> count >> 8;
            default -> {
                boolean high = highNext.value() != 0;
                highNext.set(high ? 0 : 1);
                yield high ? count >> 8 : count & 0xff;
            }
        };
    }
}
