package org.backplane.devfdc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.devicekit.test.DeviceBench;

/** Uses the controller by its ports, as a driver does. */
final class Driver {
    static final int DOR = 0x3f2;
    static final int MSR = 0x3f4;
    static final int DSR = 0x3f4;
    static final int FIFO = 0x3f5;
    static final int DIR = 0x3f7;
    static final int CCR = 0x3f7;
    /** Read and write with MFM; multi-track on top. */
    static final int READ = 0x46;

    static final int WRITE = 0x45;
    static final int MT = 0x80;

    private final DeviceBench bench;

    Driver(DeviceBench bench) {
        this.bench = bench;
    }

    /** An image whose bytes tell their sector: each is filled with the low byte of its number, counted from 1. */
    static byte[] image(int kib) {
        byte[] b = new byte[kib * 1024];
        for (int i = 0; i < b.length; i++) b[i] = (byte) (i / 512 + 1);
        return b;
    }

    /** Out of reset, drive A selected with its motor on, DMA and interrupt gated through; polling done; 500 kbit/s. */
    Driver start() {
        bench.outb(DOR, 0x1c);
        for (int i = 0; i < 4; i++) {
            command(0x08);
            result(2);
        }
        bench.outb(CCR, 0);
        command(0x03, 0xdf, 0x02);
        return this;
    }

    void command(int... bytes) {
        for (int b : bytes) {
            assertEquals(0x80, bench.inb(MSR) & 0xc0, "the controller takes a byte");
            bench.outb(FIFO, b);
        }
    }

    int[] result(int bytes) {
        int[] r = new int[bytes];
        for (int i = 0; i < bytes; i++) {
            assertEquals(0xd0, bench.inb(MSR) & 0xd0, "the controller has a result");
            r[i] = bench.inb(FIFO);
        }
        assertEquals(0x80, bench.inb(MSR), "the result is at its end");
        return r;
    }

    int[] senseInterrupt() {
        command(0x08);
        return result(2);
    }

    void seek(int cylinder) {
        command(0x0f, 0x00, cylinder);
        senseInterrupt();
    }

    /** A transfer of drive A up to sector {@code eot}; gives the seven bytes of its result. */
    int[] transfer(int opcode, int c, int h, int r, int eot) {
        command(opcode, h << 2, c, h, r, 2, eot, 0x1b, 0xff);
        return result(7);
    }

    boolean irq() {
        return bench.irq("irq").level();
    }
}
