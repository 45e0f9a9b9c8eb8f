package org.backplane.devvga;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.backplane.kvm.spi.device.IoHandler;

/**
 * Video memory and what lies between it and the CPU: address decoding, latches, read and write modes.
 *
 * <p><b>Layout.</b> Four planes of 64 KiB, interleaved: the byte at offset {@code o} of plane {@code p} is {@code vram[4 * o + p]},
 * so that one little-endian int is all planes at one offset. The planes' bits in such an int are called a cell here; the latch is a
 * cell.
 *
 * <p><b>Text mode</b> is by far the most frequent use: CPU address bit 0 chooses plane 0 (character) or 1 (attribute), and bit 0 of
 * the offset is then 0, so a character and its attribute, two neighbouring bytes for the CPU, are the two low bytes of one cell.
 * When the registers say exactly that and nothing else ({@link #textReads}, {@link #textWrites}), an aligned access is one array
 * access. {@link #configure} decides it whenever a register changes.
 *
 * <p>All other accesses go byte by byte through the machinery of the VGA: {@link #readByte}, {@link #writeByte}.
 *
 * <p>Source: IBM, PS/2 Hardware Interface Technical Reference, Video Subsystem (1992), Video Memory Organization and Graphics
 * Controller Registers.
 */
final class VgaMemory implements IoHandler {
    static final int PLANE_SIZE = 0x10000;
    private static final VarHandle CELL = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle HALF = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    /** By memory map select: where the window starts in A0000h to BFFFFh, and its size less one. */
    private static final int[] WINDOW_BASE = {0, 0, 0x10000, 0x18000};

    private static final int[] WINDOW_MASK = {0x1ffff, 0xffff, 0x7fff, 0x7fff};
    /** A base that no access is in: memory is switched off. */
    private static final int NOWHERE = 0x40000;

    private static final int FLOATING = 0xff;

    private final byte[] vram = new byte[4 * PLANE_SIZE];
    /** What the last read fetched from all planes. */
    private int latch;

    // Derived from the registers by configure().
    private int windowBase;
    private int windowMask;
    private boolean textReads;
    private boolean textWrites;
    private boolean chain4;
    private boolean oddEvenReads;
    private boolean oddEvenWrites;
    private boolean readCompare;
    private int readMap;
    private int writeMode;
    private int function;
    private int rotateCount;
    private int mapMask;
    private int setReset;
    private int enableSetReset;
    private int bitMask;
    private int compareCell;
    private int careCell;

    // ---- registers and state ----

    /** Takes over what the registers say now. */
    void configure(Sequencer seq, GraphicsController gc, boolean enabled) {
        int map = gc.memoryMap();
        windowBase = enabled ? WINDOW_BASE[map] : NOWHERE;
        windowMask = WINDOW_MASK[map];
        chain4 = seq.chain4();
        oddEvenReads = gc.oddEven();
        oddEvenWrites = seq.oddEven();
        readCompare = gc.readCompare();
        readMap = gc.readMap();
        writeMode = gc.writeMode();
        function = gc.function();
        rotateCount = gc.rotateCount();
        mapMask = seq.mapMask();
        setReset = planes(gc.setReset());
        enableSetReset = planes(gc.enableSetReset());
        bitMask = replicate(gc.bitMask());
        compareCell = planes(gc.colorCompare());
        careCell = planes(gc.colorCare());
        textReads = oddEvenReads && !chain4 && !readCompare && (readMap & 2) == 0;
        textWrites = oddEvenWrites && !chain4 && writeMode == 0 && function == 0 && rotateCount == 0
                && (mapMask & 15) == 3 && enableSetReset == 0 && bitMask == -1;
    }

    /** All planes at one offset. */
    int cell(int offset) {
        return (int) CELL.get(vram, (offset & 0xffff) << 2);
    }

    /** A byte of a plane. */
    int planeByte(int plane, int offset) {
        return vram[(offset & 0xffff) << 2 | plane] & 0xff;
    }

    void setPlaneByte(int plane, int offset, int value) {
        vram[(offset & 0xffff) << 2 | plane] = (byte) value;
    }

    void clear() {
        Arrays.fill(vram, (byte) 0);
        latch = 0;
    }

    byte[] bytes() {
        return vram;
    }

    int latch() {
        return latch;
    }

    void setLatch(int cell) {
        latch = cell;
    }

    // ---- the CPU's accesses ----

    @Override
    public long read(int vcpu, long offset, int size) {
        int a = (int) offset - windowBase;
        if (textReads && (a & ~windowMask) == 0 && (a & size - 1) == 0) {
            int at = (a & 0xfffe) << 2;
            int cell = (int) CELL.get(vram, at);
            if (size == 1) {
                latch = cell;
                return (a & 1) == 0 ? cell & 0xff : cell >> 8 & 0xff;
            }
            if (size == 2) {
                latch = cell;
                return cell & 0xffff;
            }
            latch = (int) CELL.get(vram, at + 8);
            return cell & 0xffffL | (latch & 0xffffL) << 16;
        }
        long v = 0;
        for (int i = 0; i < size; i++) v |= (long) readByte(a + i) << i * 8;
        return v;
    }

    @Override
    public void write(int vcpu, long offset, int size, long value) {
        int a = (int) offset - windowBase;
        if (textWrites && (a & ~windowMask) == 0 && (a & size - 1) == 0) {
            int at = (a & 0xfffe) << 2;
            if (size == 1) {
                vram[at | a & 1] = (byte) value;
                return;
            }
            HALF.set(vram, at, (short) value);
            if (size == 4) HALF.set(vram, at + 8, (short) (value >> 16));
            return;
        }
        for (int i = 0; i < size; i++) writeByte(a + i, (int) (value >> i * 8) & 0xff);
    }

    private int readByte(int a) {
        if ((a & ~windowMask) != 0) return FLOATING;
        int plane = readMap;
        int offset = a & 0xffff;
        if (chain4) {
            plane = a & 3;
            offset = chained(a);
        } else if (oddEvenReads) {
            plane = readMap & 2 | a & 1;
            offset &= ~1;
        }
        latch = (int) CELL.get(vram, offset << 2);
        if (!readCompare) return latch >>> plane * 8 & 0xff;
        int different = (latch ^ compareCell) & careCell;
        different |= different >>> 16;
        return ~(different | different >>> 8) & 0xff;
    }

    private void writeByte(int a, int v) {
        if ((a & ~windowMask) != 0) return;
        int planes = mapMask;
        int offset = a & 0xffff;
        if (chain4) {
            planes &= 1 << (a & 3);
            offset = chained(a);
        } else if (oddEvenWrites) {
            planes &= (a & 1) == 0 ? 5 : 10;
            offset &= ~1;
        }
        int at = offset << 2;
        int enabled = planes(planes);
        CELL.set(vram, at, (int) CELL.get(vram, at) & ~enabled | written(v) & enabled);
    }

    /** In chain-4 mode the two lowest address bits are the plane; in the offset the bits above 64 KiB take their place. */
    private static int chained(int a) {
        return a & 0xfffc | a >> 16 & 3;
    }

    /** What the write mode makes of a byte from the CPU, for all planes. */
    private int written(int v) {
        int rotated = (v >>> rotateCount | v << 8 - rotateCount) & 0xff;
        switch (writeMode) {
            case 0 -> {
                int cell = replicate(rotated) & ~enableSetReset | setReset & enableSetReset;
                return masked(combined(cell), bitMask);
            }
            case 1 -> {
                return latch;
            }
            case 2 -> {
                return masked(combined(planes(v)), bitMask);
            }
            default -> {
                return masked(setReset, bitMask & replicate(rotated));
            }
        }
    }

    private int combined(int cell) {
        return switch (function) {
            case 0 -> cell;
            case 1 -> cell & latch;
            case 2 -> cell | latch;
            default -> cell ^ latch;
        };
    }

    /** Bits outside the mask come from the latch. */
    private int masked(int cell, int mask) {
        return cell & mask | latch & ~mask;
    }

    /** The same byte in all planes. */
    private static int replicate(int b) {
        return (b & 0xff) * 0x01010101;
    }

    /** A cell that is FFh in the planes whose bit is set. */
    private static int planes(int bits) {
        return ((bits & 1) | (bits & 2) << 7 | (bits & 4) << 14 | (bits & 8) << 21) * 0xff;
    }
}
