package org.backplane.devicekit;

import java.util.Arrays;
import java.util.function.IntSupplier;
import org.backplane.kvm.spi.device.IoHandler;

/**
 * A range of ports or memory whose bytes are registers: the {@link IoHandler} of a claim, and also the hidden register space behind an
 * index/data pair.
 *
 * <p><b>Layout.</b> Each offset has a register for reads and one for writes, often the same ({@link #at}), sometimes two ({@link #readAt}
 * and {@link #writeAt}: a 16550's RBR and THR). Offsets without one float: they read as ones. The range may have several layers, one of
 * which a bit field selects ({@link #layers}: a 16550's DLAB); an upper layer shows layer 0 where it has nothing itself.
 *
 * <p><b>Cost.</b> An access of the register's own size at its own offset is one array load and one call. Every other access takes the
 * slow path, which is bytewise and right for any size and alignment: parts of a register, several registers, and both.
 */
public final class RegisterBank implements IoHandler {
    private final RegisterFile file;
    private final int length;
    private final Register floating;
    /** Stands at the offsets inside a register, so that the fast path's size test fails there. */
    private final Register inside;

    private Layer[] layers = {new Layer()};
    private Register[] reads;
    private Register[] writes;
    private Layer current;
    private Field selector;

    /** The maps of one layer: what is at each offset, and for the slow path which register covers it and from where. */
    private final class Layer {
        final Register[] reads = new Register[length];
        final Register[] writes = new Register[length];
        final Register[] readCover = new Register[length];
        final Register[] writeCover = new Register[length];
        final int[] readBase = new int[length];
        final int[] writeBase = new int[length];
    }

    /** @param length in ports or bytes; for an index/data pair the number of indexes */
    public RegisterBank(RegisterFile file, int length) {
        this.file = file;
        this.length = length;
        this.floating = new Register(file, "floating", 8).resetValue(0xff).readOnly();
        this.inside = new Register(file, "inside", 0);
        Layer base = new Layer();
        Arrays.fill(base.reads, floating);
        Arrays.fill(base.writes, floating);
        Arrays.fill(base.readCover, floating);
        Arrays.fill(base.writeCover, floating);
        for (int i = 0; i < length; i++) {
            base.readBase[i] = i;
            base.writeBase[i] = i;
        }
        layers[0] = base;
        select(0);
    }

    // ---- layout ----

    /** The register at this offset, for reads and writes. */
    public RegisterBank at(int offset, Register r) {
        return readAt(offset, r).writeAt(offset, r);
    }

    /** Registers in a row from this offset on, each at its width from the last. */
    public RegisterBank at(int offset, RegisterArray a) {
        return at(offset, a, a.get(0).bytes);
    }

    /**
     * Registers in a row from this offset on, {@code stride} bytes from one to the next; what is between them is left alone, so that arrays can
     * be interleaved.
     *
     * @throws IllegalArgumentException if the stride is less than an element's width
     */
    public RegisterBank at(int offset, RegisterArray a, int stride) {
        if (stride < a.get(0).bytes) throw new IllegalArgumentException(a.name() + ": elements overlap at a stride of " + stride);
        for (int i = 0; i < a.length(); i++) at(offset + i * stride, a.get(i));
        return this;
    }

    /** The register that answers reads at this offset. */
    public RegisterBank readAt(int offset, Register r) {
        return readAt(0, offset, r);
    }

    /** The register that takes writes at this offset. */
    public RegisterBank writeAt(int offset, Register r) {
        return writeAt(0, offset, r);
    }

    /**
     * Gives the range one layer for each value of {@code selector}. The layer follows the field at once, however it changes (written, set,
     * reset, loaded). Each register can select the layers of one bank.
     */
    public RegisterBank layers(Field selector) {
        int n = 1 << selector.width();
        layers = Arrays.copyOf(layers, n);
        for (int i = 1; i < n; i++) {
            Layer from = layers[0];
            Layer to = new Layer();
            System.arraycopy(from.reads, 0, to.reads, 0, length);
            System.arraycopy(from.writes, 0, to.writes, 0, length);
            System.arraycopy(from.readCover, 0, to.readCover, 0, length);
            System.arraycopy(from.writeCover, 0, to.writeCover, 0, length);
            System.arraycopy(from.readBase, 0, to.readBase, 0, length);
            System.arraycopy(from.writeBase, 0, to.writeBase, 0, length);
            layers[i] = to;
        }
        this.selector = selector;
        selector.register().selects(this::reselect);
        reselect();
        return this;
    }

    /** The register at this offset of one layer, which {@link #layers} has made after layer 0 was laid out. */
    public RegisterBank layerAt(int layer, int offset, Register r) {
        return readAt(layer, offset, r).writeAt(layer, offset, r);
    }

    /**
     * A data port: shows the register of {@code space} whose number {@code index} gives at that moment. Numbers beyond the space
     * float. The index register is an ordinary register of this bank, so both may be anywhere:
     *
     * <pre>{@code
     * Register index = file.register("crtc.index", 8);
     * RegisterBank space = new RegisterBank(file, 25).at(0, crtc);
     * ports.at(0, index).window(1, index::intValue, space);
     * }</pre>
     */
    public RegisterBank window(int offset, IntSupplier index, RegisterBank space) {
        return at(offset, new Register(file, "data", 8)
                .onRead(() -> space.busRead(index.getAsInt()))
                .onWrite(v -> space.busWrite(index.getAsInt(), v)));
    }

    private RegisterBank readAt(int layer, int offset, Register r) {
        Layer l = layers[layer];
        place(l.reads, l.readCover, l.readBase, offset, r);
        return this;
    }

    private RegisterBank writeAt(int layer, int offset, Register r) {
        Layer l = layers[layer];
        place(l.writes, l.writeCover, l.writeBase, offset, r);
        return this;
    }

    private void place(Register[] map, Register[] cover, int[] base, int offset, Register r) {
        if (offset < 0 || offset + r.bytes > length) throw new IllegalArgumentException(r.name() + " is outside the range");
        for (int i = 0; i < r.bytes; i++) {
            map[offset + i] = i == 0 ? r : inside;
            cover[offset + i] = r;
            base[offset + i] = offset;
        }
    }

    private void reselect() {
        select(selector.get());
    }

    private void select(int layer) {
        current = layers[layer];
        reads = current.reads;
        writes = current.writes;
    }

    // ---- accesses ----

    @Override
    public long read(int vcpu, long offset, int size) {
        Register r = reads[(int) offset];
        return r.bytes == size ? r.busRead() : readSlow((int) offset, size);
    }

    @Override
    public void write(int vcpu, long offset, int size, long value) {
        Register r = writes[(int) offset];
        if (r.bytes == size) r.busWrite(value);
        else writeSlow((int) offset, size, value);
    }

    /** A read by the guest of the register at this offset, in its full width; beyond the range it floats. */
    public long busRead(int offset) {
        return offset < length ? reads[offset].busRead() : 0xff;
    }

    /** A write by the guest to the register at this offset, in its full width; beyond the range nothing happens. */
    public void busWrite(int offset, long value) {
        if (offset < length) writes[offset].busWrite(value);
    }

    /** Reads each register that the access touches once and puts the bytes together. */
    private long readSlow(int offset, int size) {
        long result = 0;
        for (int i = 0; i < size; ) {
            int at = offset + i;
            if (at >= length) return result | Register.ones((size - i) * 8) << i * 8;
            Register r = current.readCover[at];
            int skip = at - current.readBase[at];
            int n = Math.min(r.bytes - skip, size - i);
            result |= (r.busRead() >>> skip * 8 & Register.ones(n * 8)) << i * 8;
            i += n;
        }
        return result;
    }

    private void writeSlow(int offset, int size, long value) {
        for (int i = 0; i < size; ) {
            int at = offset + i;
            if (at >= length) return;
            Register r = current.writeCover[at];
            int skip = at - current.writeBase[at];
            int n = Math.min(r.bytes - skip, size - i);
            long part = value >>> i * 8 & Register.ones(n * 8);
            if (n == r.bytes) r.busWrite(part);
            else r.busWriteLanes(part << skip * 8, Register.ones(n * 8) << skip * 8);
            i += n;
        }
    }
}
