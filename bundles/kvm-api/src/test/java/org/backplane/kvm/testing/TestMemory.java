package org.backplane.kvm.testing;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.VmMemory;

/** A small guest memory for tests of cards: slots over a real frame table, the one door with an MMU behind it, a dirty log. */
public final class TestMemory implements VmMemory, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final FrameTable frames = new FrameTable();
    private final List<Slot> slots = new ArrayList<>();

    /** Told of writes through the door; may be null. */
    public Mmu mmu;

    /** Pages that were marked dirty, by gfn. */
    public final BitSet dirty = new BitSet();

    /** Writes that went through the door. */
    public int doorCalls;

    /** Adds a slot of zeroed memory. */
    public TestMemory slot(long gpa, long bytes, boolean readOnly, boolean dirtyLog) {
        long host = arena.allocate(bytes, FrameTable.PAGE_SIZE).address();
        long pages = bytes / FrameTable.PAGE_SIZE;
        slots.add(new Slot(slots.size(), gpa >>> 12, pages, frames.map(host, pages), readOnly, dirtyLog));
        return this;
    }

    public TestMemory ram(long gpa, long bytes) {
        return slot(gpa, bytes, false, false);
    }

    /** Switches the dirty log of a slot; the caller tells the MMU. */
    public void dirtyLog(int id, boolean on) {
        Slot s = slots.get(id);
        slots.set(id, new Slot(id, s.gfn(), s.pages(), s.frame(), s.readOnly(), on));
    }

    /** Makes a slot read-only or not; the caller tells the MMU. */
    public void readOnly(int id, boolean on) {
        Slot s = slots.get(id);
        slots.set(id, new Slot(id, s.gfn(), s.pages(), s.frame(), on, s.dirtyLog()));
    }

    /** Takes a slot away; the caller has told nobody yet, the MMU must drop what refers to it. */
    public void remove(int id) {
        Slot s = slots.get(id);
        frames.unmap(s.frame(), s.pages());
        slots.set(id, new Slot(id, -1, 0, 0, false, false));
    }

    @Override
    public FrameTable frames() {
        return frames;
    }

    private Slot find(long gfn) {
        for (Slot s : slots) if (gfn >= s.gfn() && gfn < s.gfn() + s.pages()) return s;
        return null;
    }

    @Override
    public long frame(long gfn) {
        Slot s = find(gfn);
        return s == null ? 0 : s.frame() + gfn - s.gfn();
    }

    @Override
    public long host(long gpa) {
        long frame = frame(gpa >>> 12);
        return frame == 0 ? 0 : frames.host(frame) + (gpa & 0xfff);
    }

    @Override
    public boolean readOnly(long gfn) {
        Slot s = find(gfn);
        return s != null && s.readOnly();
    }

    @Override
    public boolean dirtyLogged(long gfn) {
        Slot s = find(gfn);
        return s != null && s.dirtyLog();
    }

    @Override
    public void markDirty(long gfn) {
        dirty.set((int) gfn);
    }

    @Override
    public List<Slot> slots() {
        return slots.stream().filter(s -> s.pages() > 0).toList();
    }

    @Override
    public long read(long gpa, int size) {
        return HostMemory.get(checkedHost(gpa), size);
    }

    private long checkedHost(long gpa) {
        long host = host(gpa);
        if (host == 0) throw new IndexOutOfBoundsException(Long.toHexString(gpa));
        return host;
    }

    @Override
    public void write(long gpa, int size, long value) {
        for (int i = 0; i < size; i++) checkedHost(gpa + i);
        beforeWrite(gpa, size);
        if ((gpa & 0xfff) + size <= 4096) {
            HostMemory.put(checkedHost(gpa), size, value);
        } else {
            for (int i = 0; i < size; i++) HostMemory.putByte(checkedHost(gpa + i), (byte) (value >>> 8 * i));
        }
    }

    @Override
    public void write(long gpa, byte[] from, int offset, int length) {
        beforeWrite(gpa, length);
        for (int i = 0; i < length; i++) HostMemory.putByte(checkedHost(gpa + i), from[offset + i]);
    }

    @Override
    public void read(long gpa, byte[] to, int offset, int length) {
        for (int i = 0; i < length; i++) to[offset + i] = HostMemory.getByte(checkedHost(gpa + i));
    }

    @Override
    public void beforeWrite(long gpa, int length) {
        doorCalls++;
        for (long page = gpa >>> 12; page <= gpa + length - 1 >>> 12; page++) {
            long start = Math.max(gpa, page << 12);
            int bytes = (int) (Math.min(gpa + length, page + 1 << 12) - start);
            long frame = frame(page);
            if (frames.codeMask(frame) != 0) frames.setCodeMask(frame, 0);
            if (mmu != null) mmu.guestPteWritten(start, bytes);
            if (dirtyLogged(page)) markDirty(page);
        }
    }

    @Override
    public void close() {
        frames.close();
        arena.close();
    }
}
