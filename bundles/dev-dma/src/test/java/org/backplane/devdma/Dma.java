package org.backplane.devdma;

import org.backplane.devicekit.test.DeviceBench;

/** Programs the controllers by their ports, as a driver does. */
final class Dma {
    /** Single mode, addresses counting up. */
    static final int TO_MEMORY = 0x44;

    static final int FROM_MEMORY = 0x48;
    static final int VERIFY = 0x40;
    static final int AUTOINIT = 0x10;
    static final int DECREMENT = 0x20;
    private static final int[] PAGE_PORT = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x89, 0x8a, 0x8b};

    private final DeviceBench bench;

    Dma(DeviceBench bench) {
        this.bench = bench;
    }

    /** Port of a register of the channel's controller. */
    int port(int channel, int register) {
        return channel < 4 ? register : 0xc0 + 2 * register;
    }

    /** @param address in bytes; @param length in bytes */
    void program(int channel, int mode, int address, int length) {
        int ch = channel & 3;
        int shift = channel >> 2;
        int units = length >> shift;
        int inPage = shift == 0 ? address & 0xffff : address >> 1 & 0xffff;
        bench.outb(port(channel, 10), 4 | ch);
        bench.outb(port(channel, 12), 0);
        bench.outb(port(channel, 11), mode | ch);
        bench.outb(port(channel, 2 * ch), inPage & 0xff);
        bench.outb(port(channel, 2 * ch), inPage >> 8);
        bench.outb(PAGE_PORT[channel], address >> 16);
        bench.outb(port(channel, 2 * ch + 1), units - 1 & 0xff);
        bench.outb(port(channel, 2 * ch + 1), units - 1 >> 8);
        bench.outb(port(channel, 10), ch);
    }

    /** A 16-bit register of a channel. */
    int word(int channel, int register) {
        bench.outb(port(channel, 12), 0);
        int low = bench.inb(port(channel, register));
        return low | bench.inb(port(channel, register)) << 8;
    }

    int address(int channel) {
        return word(channel, 2 * (channel & 3));
    }

    int count(int channel) {
        return word(channel, 2 * (channel & 3) + 1);
    }
}
