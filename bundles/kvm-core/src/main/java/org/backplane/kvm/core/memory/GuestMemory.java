package org.backplane.kvm.core.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * The memory of one VM: slots, frames, and the one door for writes from outside the engine.
 *
 * <p><b>Guarantees.</b> A look-up is one or two array loads and sees a consistent map: the map is immutable and published through one
 * volatile field. Every write through the door drops code, tells the MMU, and marks the page dirty, in that order, before it stores.
 *
 * <p><b>Assumes.</b> Slots change only while all vCPUs are outside of the guest and no host thread is in a DMA call: the VM sees to that.
 */
public final class GuestMemory implements VmMemory, AutoCloseable {
    private static final long MAX_GPA = 1L << 46;

    /** What must be told before memory is written; set by the VM. */
    public interface WriteListener {
        /** The frame holds code: drop what was made of these bytes. */
        void codeWritten(long frame, int offset, int length);

        /** Bytes of a page are about to change: shadow pre-write. */
        void preWrite(long gpa, int length);
    }

    /** One slot with its host memory. */
    private record Backing(Slot slot, MemorySegment memory, Arena arena, BitSet dirty) {}

    /** Bit of an entry of the page map: the slot is read-only or logs dirty pages, see there. */
    private static final int SPECIAL = 1 << 31;

    /** The published map: for every 4 MiB of guest memory a table of frame numbers with {@link #SPECIAL}, 0 where there is none. */
    private record PageMap(int[][] chunks, List<Slot> slots, List<Alias> aliases) {}

    private static final PageMap EMPTY = new PageMap(new int[0][], List.of(), List.of());

    /** A range of guest frame numbers that means another. */
    private record Alias(long gfn, long pages, long target) {
        boolean holds(long g) {
            return g >= gfn && g < gfn + pages;
        }
    }

    private final TreeMap<Integer, Alias> aliases = new TreeMap<>();

    private final FrameTable frames = new FrameTable();
    private final TreeMap<Integer, Backing> slots = new TreeMap<>();
    private volatile PageMap map = EMPTY;
    private volatile long a20Mask = -1;
    private WriteListener listener;

    public void setWriteListener(WriteListener listener) {
        this.listener = listener;
    }

    // ---- look-ups ----

    @Override
    public FrameTable frames() {
        return frames;
    }

    @Override
    public long frame(long gfn) {
        return entry(map.chunks, gfn & a20Mask) & ~SPECIAL;
    }

    @Override
    public long host(long gpa) {
        long f = frame(gpa >>> 12);
        return f == 0 ? 0 : frames.host(f) + (gpa & 4095);
    }

    @Override
    public boolean readOnly(long gfn) {
        Slot s = specialSlotOf(gfn);
        return s != null && s.readOnly();
    }

    @Override
    public boolean dirtyLogged(long gfn) {
        Slot s = specialSlotOf(gfn);
        return s != null && s.dirtyLog();
    }

    @Override
    public List<Slot> slots() {
        return map.slots;
    }

    /** The slot of a page, if it is a special one; null for all others. */
    private Slot specialSlotOf(long gfn) {
        PageMap m = map;
        if (entry(m.chunks, gfn & a20Mask) >= 0) return null;
        long g = unalias(m, gfn & a20Mask);
        for (Slot s : m.slots) {
            if (g >= s.gfn() && g < s.gfn() + s.pages()) return s;
        }
        return null;
    }

    /** What a guest frame number means behind the aliases. */
    private static long unalias(PageMap m, long gfn) {
        for (Alias a : m.aliases) if (a.holds(gfn)) return gfn - a.gfn + a.target;
        return gfn;
    }

    // ---- the A20 gate ----

    public boolean a20() {
        return a20Mask == -1;
    }

    /** With the gate off, bit 20 of every guest physical address is 0. The caller drops translations. */
    public void setA20(boolean enabled) {
        a20Mask = enabled ? -1 : ~0x100L;
    }

    // ---- the door ----

    @Override
    public long read(long gpa, int size) {
        return HostMemory.get(hostOrThrow(gpa), size);
    }

    @Override
    public void write(long gpa, int size, long value) {
        if ((gpa & 4095) + size > 4096) {
            for (int i = 0; i < size; i++) write(gpa + i, 1, value >>> 8 * i);
            return;
        }
        long host = hostOrThrow(gpa);
        if (readOnly(gpa >>> 12)) return;
        beforeWrite(gpa, size);
        HostMemory.put(host, size, value);
    }

    @Override
    public void write(long gpa, byte[] from, int offset, int length) {
        for (int done = 0; done < length; ) {
            int n = Math.min(length - done, (int) (4096 - (gpa + done & 4095)));
            long host = hostOrThrow(gpa + done);
            beforeWrite(gpa + done, n);
            HostMemory.copy(from, offset + done, host, n);
            done += n;
        }
    }

    @Override
    public void read(long gpa, byte[] to, int offset, int length) {
        for (int done = 0; done < length; ) {
            int n = Math.min(length - done, (int) (4096 - (gpa + done & 4095)));
            HostMemory.copy(hostOrThrow(gpa + done), to, offset + done, n);
            done += n;
        }
    }

    @Override
    public void beforeWrite(long gpa, int length) {
        long gfn = gpa >>> 12;
        long frame = frame(gfn);
        if (listener != null) {
            if (frames.codeMask(frame) != 0) listener.codeWritten(frame, (int) gpa & 4095, length);
            listener.preWrite(gpa, length);
        }
        if (dirtyLogged(gfn)) markDirty(gfn);
    }

    @Override
    public void markDirty(long gfn) {
        long g = unalias(map, gfn & a20Mask);
        synchronized (slots) {
            for (Backing b : slots.values()) {
                Slot s = b.slot;
                if (s.dirtyLog() && g >= s.gfn() && g < s.gfn() + s.pages()) b.dirty.set((int) (g - s.gfn()));
            }
        }
    }

    private long hostOrThrow(long gpa) {
        long host = host(gpa);
        if (host == 0) throw new IndexOutOfBoundsException("no memory at gpa 0x" + Long.toHexString(gpa));
        return host;
    }

    // ---- slots ----

    /**
     * KVM_SET_MEMORY_REGION, see {@link Vm#setMemoryRegion}. {@code user} is the caller's memory or null.
     *
     * @return what was there before and must be released by {@link Released#release} once no vCPU refers to it any more
     */
    public Released set(int id, int flags, long gpa, long size, MemorySegment user) {
        check(id, flags, gpa, size, user);
        return place(id, flags, gpa, size, user);
    }

    /** A slot of the VM's own, whose number no caller can name: read-only for the guest. */
    void setReserved(int id, long gpa, long size, MemorySegment memory) {
        place(id, Vm.MEM_READONLY, gpa, size, memory);
    }

    private Released place(int id, int flags, long gpa, long size, MemorySegment user) {
        synchronized (slots) {
            Backing old = slots.get(id);
            if (size == 0) {
                if (old == null) throw new KvmException(Errno.EINVAL, "memory slot " + id + " is not in use");
                slots.remove(id);
                publish();
                return () -> release(old);
            }
            long gfn = gpa >>> 12;
            long pages = size >>> 12;
            if (old != null && old.slot.pages() != pages) {
                throw new KvmException(Errno.EINVAL, "the size of memory slot " + id + ", which is in use, cannot change");
            }
            for (Backing b : slots.values()) {
                Slot s = b.slot;
                if (s.id() != id && gfn < s.gfn() + s.pages() && s.gfn() < gfn + pages) {
                    throw new KvmException(
                            Errno.EEXIST,
                            String.format("memory slot %d at 0x%x overlaps slot %d at 0x%x", id, gpa, s.id(), s.gfn() << 12));
                }
            }
            boolean log = (flags & Vm.MEM_LOG_DIRTY_PAGES) != 0;
            boolean readOnly = (flags & Vm.MEM_READONLY) != 0;
            if (old != null && user == null) {
                Slot s = new Slot(id, gfn, pages, old.slot.frame(), readOnly, log);
                slots.put(id, new Backing(s, old.memory, old.arena, log ? old.dirty : new BitSet()));
            } else {
                Arena arena = user == null ? Arena.ofShared() : null;
                MemorySegment memory = user;
                if (arena != null) {
                    try {
                        memory = HostAllocator.allocate(arena, size);
                    } catch (OutOfMemoryError e) {
                        arena.close();
                        throw new KvmException(Errno.ENOMEM, e.getMessage());
                    }
                }
                long frame = framesOf(id, memory.address(), pages);
                boolean same = old != null && old.slot.frame() == frame;
                BitSet dirty = same && log && old.slot.dirtyLog() ? old.dirty : new BitSet();
                slots.put(id, new Backing(new Slot(id, gfn, pages, frame, readOnly, log), memory, arena, dirty));
            }
            publish();
            if (old == null || user == null) return () -> {};
            return () -> release(old);
        }
    }

    /**
     * Host memory has one frame number a page, however many slots it is in: code marks and shadowed tables go by it. Since the frames of a slot are
     * consecutive, memory that another slot has in part only cannot have them.
     *
     * @param id the slot it is for, whose old memory counts only if it holds all of the new
     */
    private long framesOf(int id, long host, long pages) {
        for (Backing b : slots.values()) {
            long offset = host - b.memory.address() >> 12;
            if (offset >= 0 && offset + pages <= b.slot.pages()) return b.slot.frame() + offset;
            if (b.slot.id() != id && offset < b.slot.pages() && offset + pages > 0) {
                throw new KvmException(Errno.EINVAL, "memory slot " + b.slot.id() + " has a part of this memory: give it all, or none of it");
            }
        }
        return frames.map(host, pages);
    }

    private void release(Backing gone) {
        synchronized (slots) {
            Slot s = gone.slot;
            boolean shared = slots.values().stream()
                    .anyMatch(b -> b.slot.frame() < s.frame() + s.pages() && s.frame() < b.slot.frame() + b.slot.pages());
            if (!shared) frames.unmap(s.frame(), s.pages());
            if (gone.arena != null) gone.arena.close();
        }
    }

    /** KVM_SET_MEMORY_ALIAS, see {@link Vm#setMemoryAlias}. */
    public void setAlias(int id, int flags, long gpa, long size, long target) {
        if (id < 0 || id >= Vm.MAX_ALIASES) throw new KvmException(Errno.EINVAL, "memory alias " + id + " is out of range");
        if (flags != 0) throw new KvmException(Errno.EINVAL, "unknown alias flags 0x" + Integer.toHexString(flags));
        checkRange(gpa, size);
        checkRange(target, size);
        synchronized (slots) {
            if (size == 0) aliases.remove(id);
            else aliases.put(id, new Alias(gpa >>> 12, size >>> 12, target >>> 12));
            publish();
        }
    }

    /** The guest frame numbers that lead to a slot: its own, and those of aliases, each given as a slot. */
    public List<Slot> rangesOf(int id) {
        Slot s = slot(id);
        List<Slot> ranges = new ArrayList<>(List.of(s));
        for (Alias a : map.aliases) {
            long from = Math.max(a.target, s.gfn()), to = Math.min(a.target + a.pages, s.gfn() + s.pages());
            if (from < to) {
                ranges.add(new Slot(id, from - a.target + a.gfn, to - from, s.frame() + from - s.gfn(), s.readOnly(), s.dirtyLog()));
            }
        }
        return ranges;
    }

    /** What a changed slot leaves behind. */
    public interface Released {
        void release();
    }

    /** The host memory of the slot that starts at gpa 0. */
    public MemorySegment fromZero() {
        synchronized (slots) {
            for (Backing b : slots.values()) {
                if (b.slot.gfn() == 0) return b.memory;
            }
        }
        throw new KvmException(Errno.ENOENT, "no memory slot starts at address 0");
    }

    /** The host memory of a slot, for mapping it a second time elsewhere. */
    public MemorySegment memory(int id) {
        synchronized (slots) {
            Backing b = slots.get(id);
            if (b == null) throw new KvmException(Errno.ENOENT, "memory slot " + id + " is not in use");
            return b.memory;
        }
    }

    public Slot slot(int id) {
        synchronized (slots) {
            Backing b = slots.get(id);
            if (b == null) throw new KvmException(Errno.ENOENT, "memory slot " + id + " is not in use");
            return b.slot;
        }
    }

    /** Takes and clears the dirty bits of a slot. */
    public BitSet takeDirty(int id) {
        synchronized (slots) {
            Backing b = slots.get(id);
            if (b == null || !b.slot.dirtyLog()) {
                throw new KvmException(Errno.ENOENT, "memory slot " + id + " does not log dirty pages");
            }
            BitSet taken = (BitSet) b.dirty.clone();
            b.dirty.clear();
            return taken;
        }
    }

    private static void check(int id, int flags, long gpa, long size, MemorySegment user) {
        if (id < 0 || id >= Vm.MAX_SLOTS) throw new KvmException(Errno.EINVAL, "memory slot " + id + " is out of range");
        checkRange(gpa, size);
        if ((flags & ~(Vm.MEM_LOG_DIRTY_PAGES | Vm.MEM_READONLY)) != 0) {
            throw new KvmException(Errno.EINVAL, "unknown memory flags 0x" + Integer.toHexString(flags));
        }
        if (user != null && (!user.isNative() || (user.address() & 4095) != 0)) {
            throw new KvmException(Errno.EINVAL, "user memory must be native and page-aligned");
        }
    }

    private static void checkRange(long gpa, long size) {
        if (((gpa | size) & 4095) != 0) {
            throw new KvmException(Errno.EINVAL, String.format("address 0x%x or size 0x%x is not page-aligned", gpa, size));
        }
        if (gpa < 0 || size < 0 || gpa + size < gpa || gpa + size > MAX_GPA) {
            throw new KvmException(Errno.EINVAL, String.format("0x%x bytes at 0x%x wrap around", size, gpa));
        }
    }

    private void publish() {
        List<Slot> sorted = new ArrayList<>();
        long top = 0;
        for (Backing b : slots.values()) {
            sorted.add(b.slot);
            top = Math.max(top, b.slot.gfn() + b.slot.pages());
        }
        for (Alias a : aliases.values()) top = Math.max(top, a.gfn + a.pages);
        sorted.sort(Comparator.comparingLong(Slot::gfn));
        int[][] chunks = new int[(int) (top + 1023 >>> 10)][];
        for (Slot s : sorted) {
            int special = s.readOnly() || s.dirtyLog() ? SPECIAL : 0;
            for (long i = 0; i < s.pages(); i++) enter(chunks, s.gfn() + i, (int) (s.frame() + i) | special);
        }
        // An alias leads to a slot, never to another alias.
        int[][] plain = aliases.isEmpty() ? chunks : copy(chunks);
        for (Alias a : aliases.values()) {
            for (long i = 0; i < a.pages; i++) enter(chunks, a.gfn + i, entry(plain, a.target + i));
        }
        map = new PageMap(chunks, List.copyOf(sorted), List.copyOf(aliases.values()));
    }

    private static void enter(int[][] chunks, long gfn, int frame) {
        int c = (int) (gfn >>> 10);
        if (chunks[c] == null) chunks[c] = new int[1024];
        chunks[c][(int) gfn & 1023] = frame;
    }

    private static int entry(int[][] chunks, long gfn) {
        long c = gfn >>> 10;
        int[] chunk = c < chunks.length ? chunks[(int) c] : null;
        return chunk == null ? 0 : chunk[(int) gfn & 1023];
    }

    private static int[][] copy(int[][] chunks) {
        int[][] all = new int[chunks.length][];
        for (int i = 0; i < all.length; i++) all[i] = chunks[i] == null ? null : chunks[i].clone();
        return all;
    }

    /** Frees everything. No vCPU and no card may use the memory any more. */
    @Override
    public void close() {
        synchronized (slots) {
            map = EMPTY;
            for (Backing b : slots.values()) if (b.arena != null) b.arena.close();
            slots.clear();
            frames.close();
        }
    }
}
