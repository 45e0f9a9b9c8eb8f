package org.backplane.kvm.testing;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * A processor as far as an MMU can see it, with the core behind it: it looks into the TLB, walks the tables that are active, sets A and D, fills
 * the TLB, makes the VM exits, and does what the core does with {@link Mmu.Fault the MMU's verdict}. An "instruction" is one access that crosses no page.
 *
 * <p>Like a real one it uses what is in its TLB until somebody drops it. So a test that passes here has an MMU that flushes what it must.
 *
 * <p>In shadow mode it walks three levels from {@code v.paeRoot}, or four from {@code v.root} in long mode; in two-dimensional mode the guest's
 * tables, and for each address on the way four levels from {@code v.root}. CR0.WP is set underneath a shadow; SMEP and SMAP are the guest's.
 */
public final class TestProcessor implements GuestWalk.Memory {
    /** How an access ended: in memory at {@link #host}, at the device address {@link #gpa}, emulated at {@link #gpa}, or with {@link #error}. */
    public enum Result {
        MEMORY,
        DEVICE,
        EMULATED,
        FAULT
    }

    /** More exits than this for one access, and the MMU says "fixed" without fixing. */
    private static final int PATIENCE = 8;

    private final TestMemory memory;
    private final VcpuContext v;
    private final CpuState s;
    private final Mmu mmu;
    private final GuestWalk guest = new GuestWalk();

    /** Where the last access went. */
    public long host, gpa;

    /** Error code of the last {@link Result#FAULT}. */
    public int error;

    /** What the last read found. */
    public long value;

    /** VM exits to the MMU that the last access took; 0 when the tables or the TLB allowed it. */
    public int exits;

    /** The last access was a TLB hit. */
    public boolean hit;

    public TestProcessor(TestMemory memory, VcpuContext v, Mmu mmu) {
        this.memory = memory;
        this.v = v;
        this.s = v.state;
        this.mmu = mmu;
    }

    // ---- registers ----

    /** MOV to CR3. */
    public void loadCr3(long cr3) {
        s.cr3 = cr3;
        loadPdptes();
        mmu.setRoot(v);
        v.tlb.flush(SoftTlb.Flush.CONTEXT, s.pcid(), 0);
    }

    /** Another paging mode, or other bits of it. */
    public void setMode(long cr0, long cr4, long efer) {
        s.cr0 = cr0;
        s.cr4 = cr4;
        s.efer = efer;
        loadPdptes();
        mmu.setRoot(v);
        v.tlb.flush(false);
    }

    private void loadPdptes() {
        boolean pae = s.paging() && (s.cr4 & CpuState.CR4_PAE) != 0 && !s.longModeActive();
        if (pae && !GuestWalk.loadPdptes(memory, s.cr3, v.guestPdpte)) throw new AssertionError("a PDPTE of the test is bad");
    }

    /** INVLPG. */
    public void invlpg(long gva) {
        if (mmu.invlpgExits()) mmu.invlpg(v, gva);
        dropFromTlb(gva);
    }

    private void dropFromTlb(long gva) {
        v.tlb.flush(SoftTlb.Flush.ADDRESS, s.pcid(), gva);
    }

    // ---- accesses ----

    /** Reads. */
    public Result read(long gva, int size, int access) {
        return access(gva, size, access, 0);
    }

    /** Writes. */
    public Result write(long gva, int size, int access, long value) {
        return access(gva, size, access | Intercepts.WRITE, value);
    }

    private Result access(long gva, int size, int access, long written) {
        boolean write = (access & Intercepts.WRITE) != 0;
        exits = 0;
        int half = (access & Intercepts.USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        int kind = write ? SoftTlb.WRITE : (access & Intercepts.FETCH) != 0 ? SoftTlb.EXEC : SoftTlb.READ;
        int i = half + SoftTlb.slot(gva);
        hit = v.tlb.entries[i + kind] == (gva & SoftTlb.PAGE);
        Result r = Result.MEMORY;
        if (hit) host = gva + v.tlb.entries[i + SoftTlb.ADDEND];
        else r = mmu.kind() == Mmu.Kind.SHADOW ? shadow(gva, access) : twoDimensional(gva, access);
        switch (r) {
            case MEMORY -> {
                if (write) HostMemory.put(host, size, written);
                else value = HostMemory.get(host, size);
            }
            case EMULATED -> {
                return emulate(gva, size, access, written);
            }
            case FAULT -> dropFromTlb(gva);
            default -> {}
        }
        return r;
    }

    /** The core's emulation of the instruction. */
    private Result emulate(long gva, int size, int access, long written) {
        gpa = mmu.gvaToGpa(v, gva, access);
        if (gpa < 0) {
            error = v.faultError;
            return Result.FAULT;
        }
        if (memory.frame(gpa >>> 12) == 0) return Result.DEVICE;
        boolean write = (access & Intercepts.WRITE) != 0;
        if (!write) value = memory.read(gpa, size);
        else if (!memory.readOnly(gpa >>> 12)) memory.write(gpa, size, written);
        return Result.EMULATED;
    }

    /** A VM exit. Null: the tables were mended. */
    private Result exit(long address, int code) {
        if (++exits > PATIENCE) throw new AssertionError(String.format("no progress at %x, error code %x", address, code));
        switch (mmu.fault(v, address, code)) {
            case FIXED:
                return null;
            case GUEST:
                error = v.faultError;
                return Result.FAULT;
            default:
                // MMIO: the instruction is emulated to find out what it does to the device; so is a write to a table.
                return Result.EMULATED;
        }
    }

    // ---- shadow ----

    private long leafTable, leaf;

    private Result shadow(long gva, int access) {
        while (true) {
            findLeaf(gva);
            boolean present = Spte.present(leaf);
            if (allowed(leaf, access)) {
                if (present) return fillFromShadow(gva, access);
                if (Spte.isMmio(leaf)) {
                    gpa = Spte.frame(leaf) << 12 | gva & 0xfff;
                    return Result.DEVICE;
                }
            }
            Result r = exit(gva, access | (present ? GuestWalk.ERROR_PRESENT : 0));
            if (r != null) return r;
        }
    }

    /** The leaf entry that the shadow has for a gva, 0 if a table is missing. */
    public long shadowLeaf(long gva) {
        findLeaf(gva);
        return leaf;
    }

    private void findLeaf(long gva) {
        boolean four = s.longModeActive();
        long e = four ? Spte.of(v.root, Spte.P) : v.paeRoot[(int) (gva >>> 30) & 3];
        leaf = leafTable = 0;
        for (int level = four ? 4 : 2; Spte.present(e); level--) {
            checkFrame(e);
            leafTable = Spte.frame(e);
            int index = Spte.index(gva, level);
            e = memory.frames().entry(leafTable, index);
            if (level == 1) {
                leaf = e;
                return;
            }
            if (Spte.present(e)) memory.frames().setEntry(leafTable, index, e | Spte.A);
        }
    }

    private boolean allowed(long e, int access) {
        boolean fetch = (access & Intercepts.FETCH) != 0;
        int need = access & (Intercepts.WRITE | Intercepts.USER);
        if ((e & need) != need || fetch && e < 0) return false;
        boolean supervisorAtUserPage = (access & Intercepts.USER) == 0 && (e & Spte.U) != 0 && s.paging();
        return !supervisorAtUserPage || !GuestWalk.userPageShut(s, fetch);
    }

    private Result fillFromShadow(long gva, int access) {
        checkFrame(leaf);
        boolean write = (access & Intercepts.WRITE) != 0;
        long now = leaf | (write ? Spte.A | Spte.D : Spte.A);
        memory.frames().setEntry(leafTable, Spte.index(gva, 1), now);
        boolean global = (leaf & Spte.G) != 0 && (s.cr4 & CpuState.CR4_PGE) != 0;
        int shift = (leaf & Spte.LARGE) == 0 ? 12 : s.longModeActive() ? 30 : 22;
        fill(gva, access, Spte.frame(leaf), (now & (Spte.W | Spte.D)) == (Spte.W | Spte.D), leaf >= 0, global, shift);
        return Result.MEMORY;
    }

    private void fill(long gva, int access, long frame, boolean write, boolean fetch, boolean global, int shift) {
        long page = memory.frames().host(frame);
        host = page + (gva & 0xfff);
        // SMEP and SMAP make rights depend on more than an entry says: then nothing is cached.
        if ((access & Intercepts.USER) == 0 && (s.cr4 & (CpuState.CR4_SMEP | CpuState.CR4_SMAP)) != 0) return;
        v.tlb.fill((access & Intercepts.USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR, gva, page, true, write, fetch, global, shift);
    }

    private void checkFrame(long e) {
        if (memory.frames().host(Spte.frame(e)) == 0) throw new AssertionError(String.format("entry %x names a frame that is not in use", e));
    }

    // ---- two-dimensional ----

    /** Why the walk of the guest's tables was cut short. */
    private Result aborted;

    private Result twoDimensional(long gva, int access) {
        switch (guest.walk(v, this, gva, access, true)) {
            case GuestWalk.OK:
                break;
            case GuestWalk.FAULT:
                error = guest.errorCode;
                return Result.FAULT;
            default:
                return aborted;
        }
        gpa = guest.gpa;
        Result r = ept(gpa, access);
        if (r != Result.MEMORY) return r;
        int user = access & Intercepts.USER;
        boolean write = guest.dirty && (leaf & Spte.W) != 0 && guest.allows(s, user | Intercepts.WRITE);
        boolean fetch = leaf >= 0 && guest.allows(s, user | Intercepts.FETCH);
        fill(gva, access, Spte.frame(leaf), write, fetch, guest.global, guest.pageShift);
        return r;
    }

    /** Walks from gpa to {@link #leaf}, with exits until it allows the access: MEMORY, DEVICE or EMULATED. */
    private Result ept(long gpa, int access) {
        while (true) {
            long e = Spte.of(v.root, Spte.P);
            for (int level = 4; level > 0 && Spte.present(e); level--) {
                checkFrame(e);
                e = memory.frames().entry(Spte.frame(e), Spte.index(gpa, level));
                if (level > 1 && !Spte.present(e)) e = 0;
            }
            leaf = e;
            if (Spte.isMmio(e)) return Result.DEVICE;
            boolean write = (access & Intercepts.WRITE) != 0;
            if (Spte.present(e) && (!write || (e & Spte.W) != 0) && ((access & Intercepts.FETCH) == 0 || e >= 0)) {
                checkFrame(e);
                return Result.MEMORY;
            }
            Result r = exit(gpa, access | (Spte.present(e) ? GuestWalk.ERROR_PRESENT : 0));
            if (r != null) return r;
        }
    }

    @Override
    public long host(long gpa) {
        return entryHost(gpa, Intercepts.READ);
    }

    @Override
    public long hostForUpdate(long gpa) {
        return memory.readOnly(gpa >>> 12) ? 0 : entryHost(gpa, Intercepts.WRITE);
    }

    private long entryHost(long gpa, int access) {
        Result r = ept(gpa, access);
        if (r == Result.MEMORY) return memory.frames().host(Spte.frame(leaf)) + (gpa & 0xfff);
        if (memory.frame(gpa >>> 12) == 0) return 0;
        aborted = r;
        return -1;
    }
}
