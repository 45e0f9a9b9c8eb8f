package org.backplane.kvm.core.exit;

import org.backplane.kvm.spi.device.IoHandler;

/**
 * Where accesses to a claimed range go.
 *
 * @param handler serves them
 * @param base first port or gpa; the handler sees offsets
 * @param length of the range
 * @param sizes bit set of the sizes that the handler takes; others are split or joined by the bus
 * @param owner name of the slot
 */
public record Route(IoHandler handler, long base, long length, int sizes, String owner) {
    /** The floating bus: nobody claims the address, reads give all ones, writes go nowhere. */
    public static final Route FLOATING = new Route(
            new IoHandler() {
                @Override
                public long read(int vcpu, long offset, int size) {
                    return -1;
                }

                @Override
                public void write(int vcpu, long offset, int size, long value) {}
            },
            0,
            0,
            15,
            "");

    boolean contains(long address) {
        return address - base >= 0 && address - base < length;
    }

    @Override
    public String toString() {
        return String.format("%s 0x%x-0x%x", owner, base, base + length - 1);
    }
}
