package org.backplane.devi8042;

import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;

/** A ring of at most {@code capacity} bytes, saved by name in order. */
final class ByteQueue {
    private static final byte[] EMPTY = {};

    private final String name;
    private final byte[] bytes;
    private int first;
    private int size;

    ByteQueue(String name, int capacity) {
        this.name = name;
        this.bytes = new byte[capacity];
    }

    int free() {
        return bytes.length - size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Appends a byte; a full queue drops it, as the hardware does. */
    void add(int b) {
        if (size == bytes.length) return;
        bytes[(first + size++) % bytes.length] = (byte) b;
    }

    /** Takes the oldest byte, 0 to 255; the queue is not empty. */
    int take() {
        int b = bytes[first] & 0xff;
        first = (first + 1) % bytes.length;
        size--;
        return b;
    }

    void clear() {
        first = 0;
        size = 0;
    }

    void save(CardState state) {
        byte[] b = new byte[size];
        for (int i = 0; i < size; i++) b[i] = bytes[(first + i) % bytes.length];
        state.put(name, b);
    }

    void load(CardState state) throws StateException {
        byte[] b = state.getBytes(name, EMPTY);
        if (b.length > bytes.length) throw new StateException(name + " has " + b.length + " bytes, at most " + bytes.length + " fit");
        clear();
        for (byte one : b) add(one);
    }
}
