package org.backplane.kvm.core.paging;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.Vcpu;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.core.exit.Route;
import org.backplane.kvm.core.exit.RouteTable;
import org.backplane.kvm.core.paging.ReferencePaging.Translation;
import org.backplane.kvm.core.vm.KvmVcpu;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.vmx.VmxFactory;

/**
 * A VM with the real core, CPU backend and MMU, and beside it the {@link ReferencePaging} over a memory of its own. Everything that happens
 * to the one is done to the other, and compared at once: the bytes, the fault with its error code and CR2, the accessed and dirty bits of
 * every entry on the way, and for a device the address.
 *
 * <p><b>Stale translations.</b> For every linear page that is ever accessed (the pool) all translations are kept that have been in force
 * since it was last invalidated: any of them may be in a TLB (SDM 3A 4.10.2.3), so an access may use the one in force now, or an older one if that
 * allows it; the older one leaves A and D alone. After INVLPG, a load of CR3, a fault at the page and so on only one is left, and the result is
 * certain. Faults are judged more strictly than the SDM does: none may be spurious (4.10.4.3 would allow it), since a walk precedes each.
 *
 * <p>The reference follows the guest's choice. So the two memories stay the same, which is checked as a whole now and then.
 */
final class CheckedGuest implements AutoCloseable {
    static final int RAM_PAGES = 0x60;
    static final long ROM = 0x200000, LOGGED = 0x300000, HIGH = 0x1_0000_0000L;
    private static final int LOGGED_SLOT = 2;

    final ReferenceMemory memory = new ReferenceMemory(
            new ReferenceMemory.Range(0, RAM_PAGES, false, false, 0),
            new ReferenceMemory.Range(ROM, 8, true, false, RAM_PAGES << 12),
            new ReferenceMemory.Range(LOGGED, 8, false, true, RAM_PAGES + 8 << 12),
            new ReferenceMemory.Range(HIGH, 16, false, false, RAM_PAGES + 16 << 12));
    final ReferencePaging paging = new ReferencePaging(memory);
    final ScriptedEngine engine;
    final VcpuContext v;
    final CpuState s;
    private final KvmVm vm;
    private final KvmVcpu vcpu;

    // The pool.
    private long[] pool = {};
    private List<List<Translation>> history = List.of();
    private Translation[] current = {};
    private final boolean[] table = new boolean[memory.written.length];

    // The last access to a device.
    private long deviceGpa, deviceValue;

    /** What was last done, for messages. */
    private String doing = "";

    /** The page of the pool that was last accessed, -1 before that. */
    private int accessed = -1;

    // Counters.
    long accesses, faults, devices, emulations, certain, stale;

    CheckedGuest(MmuFactory mmu, Runnable script) {
        engine = new ScriptedEngine(script);
        vm = new KvmVm(new Host(), (slot, e) -> fail(e), Map.of("shadow-pages", "64"), () -> {});
        vm.installCpu(new VmxFactory(), mmu, engine);
        for (int i = 0; i < memory.ranges.length; i++) {
            ReferenceMemory.Range r = memory.ranges[i];
            int flags = (r.rom() ? Vm.MEM_READONLY : 0) | (r.logged() ? Vm.MEM_LOG_DIRTY_PAGES : 0);
            vm.setMemoryRegion(i, flags, r.gpa(), (long) r.pages() << 12);
        }
        vm.bus().publish(RouteTable.of(List.of(), holes()));
        vcpu = vm.createVcpu(0);
        // EFER.SCE, LME and NXE exist where CPUID reports SYSCALL, LM and NX.
        vcpu.setCpuid(List.of(new Vcpu.CpuidEntry(0x8000_0000, 0x8000_0001, 0, 0, 0), new Vcpu.CpuidEntry(0x8000_0001, 0, 0, 0, 1 << 11 | 1 << 20 | 1 << 29)));
        v = vcpu.context();
        s = v.state;
        engine.use(v);
        flat();
    }

    /** Every address without memory is a device that remembers its last access. */
    private List<Route> holes() {
        List<Route> routes = new ArrayList<>();
        long from = 0;
        for (ReferenceMemory.Range r : memory.ranges) {
            routes.add(hole(from, r.gpa()));
            from = r.end();
        }
        routes.add(hole(from, 1L << ReferencePaging.MAXPHYADDR));
        routes.removeIf(r -> r.length() == 0);
        return routes;
    }

    private Route hole(long from, long to) {
        IoHandler device = new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                deviceGpa = from + offset;
                return deviceGpa * 3;
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                deviceGpa = from + offset;
                deviceValue = value;
            }
        };
        return new Route(device, from, to - from, 15, "hole " + Long.toHexString(from));
    }

    private void flat() {
        s.cr0 = CpuState.CR0_PE | CpuState.CR0_ET;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = seg == CpuState.CS ? 8 : 16;
            s.segBase[seg] = 0;
            s.segLimit[seg] = 0xffffffffL;
            s.segAr[seg] = seg == CpuState.CS ? 0xc09b : 0xc093;
        }
        s.rip = 0x1000;
        vcpu.stateChanged();
    }

    /** Runs the script once, on the vCPU's thread, inside the guest. */
    void run() {
        vcpu.run();
    }

    /** The script is done: {@link #run} returns behind it. */
    void leave() {
        vcpu.kick();
    }

    // ---- outside of the guest ----

    /** Replaces the MMU: all that is cached is gone. */
    void swap(MmuFactory mmu) {
        doing = "swap to " + mmu.type();
        vm.installCpu(new VmxFactory(), mmu, engine);
        invalidateAll();
    }

    /** Reads and clears the dirty log: every page that was written must be in it. */
    void checkDirtyLog() {
        BitSet log = vm.getDirtyLog(LOGGED_SLOT);
        ReferenceMemory.Range r = memory.ranges[LOGGED_SLOT];
        for (int i = 0; i < r.pages(); i++) {
            if (memory.written[(r.offset() >> 12) + i] && !log.get(i)) throw failure("a written page is not in the dirty log: " + i);
        }
        memory.clean(r);
    }

    /** Takes a slot out and puts it in again at once, with what was in it. */
    void removeAndAdd(int slot) {
        ReferenceMemory.Range r = memory.ranges[slot];
        doing = "slot " + slot + " goes and comes";
        byte[] kept = vm.readMemory(r.gpa(), r.pages() << 12);
        int flags = (r.rom() ? Vm.MEM_READONLY : 0) | (r.logged() ? Vm.MEM_LOG_DIRTY_PAGES : 0);
        vm.setMemoryRegion(slot, 0, r.gpa(), 0);
        vm.setMemoryRegion(slot, flags, r.gpa(), kept.length);
        vm.writeMemory(r.gpa(), kept);
        memory.clean(r);
        invalidateAll();
    }

    /** All of memory is the same. */
    void checkMemory() {
        for (ReferenceMemory.Range r : memory.ranges) {
            byte[] bytes = vm.readMemory(r.gpa(), r.pages() << 12);
            int at = java.util.Arrays.mismatch(bytes, 0, bytes.length, memory.bytes, r.offset(), r.offset() + bytes.length);
            if (at >= 0) throw failure(String.format("memory differs at %x", r.gpa() + at));
        }
    }

    Map<String, Long> counters() {
        return vm.mmu().counters();
    }

    // ---- memory and registers ----

    /** A write from outside the processor: by DMA. */
    void dma(long gpa, int size, long value) {
        doing = String.format("DMA of %x to %x", value, gpa);
        vm.memory().write(gpa, size, value);
        memory.write(gpa, size, value);
        tablesChanged(gpa);
    }

    /** Fills a ROM, or memory before anything runs. */
    void fill(long gpa, byte[] from) {
        vm.writeMemory(gpa, from);
        System.arraycopy(from, 0, memory.bytes, memory.page(gpa) << 12 | (int) gpa & 0xfff, from.length);
        recompute();
    }

    void setCr0(long value) {
        doing = String.format("CR0 %x -> %x", s.cr0, value);
        long changed = value ^ s.cr0;
        boolean on = (value & CpuState.CR0_PG) != 0;
        boolean reload = on && paging.pae && (s.efer & CpuState.EFER_LME) == 0
                && (changed & (CpuState.CR0_PG | CpuState.CR0_CD | CpuState.CR0_NW)) != 0;
        boolean accepted = !reload || pdptesValid(paging.cr3);
        boolean wasOn = paging.paging;
        expect(accepted, engine.writeCr(0, value));
        if (!accepted) return;
        paging.paging = on;
        paging.wp = (value & CpuState.CR0_WP) != 0;
        paging.ia32e = on && (s.efer & CpuState.EFER_LME) != 0;
        if (reload) loadPdptes(paging.cr3);
        if (on != wasOn) invalidateAll();
        else recompute();
    }

    void setCr3(long value) {
        doing = String.format("CR3 %x -> %x", s.cr3, value);
        boolean reload = paging.paging && paging.pae && !paging.ia32e;
        boolean accepted = !reload || pdptesValid(value);
        expect(accepted, engine.writeCr(3, value));
        if (!accepted) return;
        paging.cr3 = value;
        if (reload) loadPdptes(value);
        // 4.10.4.1: all but global translations.
        for (List<Translation> h : history) h.removeIf(t -> !t.global());
        recompute();
    }

    void setCr4(long value) {
        doing = String.format("CR4 %x -> %x", s.cr4, value);
        long changed = value ^ s.cr4;
        boolean pae = (value & CpuState.CR4_PAE) != 0;
        boolean reload = paging.paging && pae && !paging.ia32e
                && (changed & (CpuState.CR4_PAE | CpuState.CR4_PGE | CpuState.CR4_PSE)) != 0;
        boolean accepted = !reload || pdptesValid(paging.cr3);
        expect(accepted, engine.writeCr(4, value));
        if (!accepted) return;
        takeCr4(value);
        if (reload) loadPdptes(paging.cr3);
        if ((changed & (CpuState.CR4_PGE | CpuState.CR4_PAE)) != 0) invalidateAll();
        else recompute();
    }

    private void takeCr4(long value) {
        paging.pse = (value & CpuState.CR4_PSE) != 0;
        paging.pae = (value & CpuState.CR4_PAE) != 0;
        paging.pge = (value & CpuState.CR4_PGE) != 0;
        paging.smep = (value & CpuState.CR4_SMEP) != 0;
        paging.smap = (value & CpuState.CR4_SMAP) != 0;
    }

    /** Sets CR4 as KVM_SET_SREGS does, with bits that the guest itself may not set. */
    void setCr4FromOutside(long value) {
        doing = String.format("CR4 %x => %x", s.cr4, value);
        s.cr4 = value;
        takeCr4(value);
        vcpu.stateChanged();
        if (paging.paging && paging.pae && !paging.ia32e && pdptesValid(paging.cr3)) loadPdptes(paging.cr3);
        invalidateAll();
    }

    void setEfer(long value) {
        doing = String.format("EFER %x -> %x", s.efer, value);
        expect(true, engine.writeEfer(value));
        paging.nxe = (value & CpuState.EFER_NX) != 0;
        recompute();
    }

    private void expect(boolean accepted, boolean was) {
        if (accepted != was) throw failure(was ? "#GP is missing" : "#GP for no reason");
    }

    private boolean pdptesValid(long cr3) {
        for (int i = 0; i < 4; i++) {
            long e = memory.read((cr3 & 0xffffffe0L) + i * 8, 8);
            // 4.4.1: bits 2:1, 8:5 and from MAXPHYADDR up are reserved.
            if ((e & 1) != 0 && (e & 0x1e6 | e >>> ReferencePaging.MAXPHYADDR) != 0) return false;
        }
        return true;
    }

    private void loadPdptes(long cr3) {
        for (int i = 0; i < 4; i++) paging.pdpte[i] = memory.read((cr3 & 0xffffffe0L) + i * 8, 8);
    }

    void invlpg(long gva) {
        doing = String.format("INVLPG %x", gva);
        engine.invlpg(gva);
        invalidate(gva);
    }

    // ---- what may be in a TLB ----

    /** The linear pages that will be accessed from now on. */
    void usePool(long[] pages) {
        pool = pages;
        accessed = -1;
        history = new ArrayList<>();
        for (int i = 0; i < pages.length; i++) history.add(new ArrayList<>());
        current = new Translation[pages.length];
        invalidateAll();
    }

    int poolSize() {
        return pool.length;
    }

    long page(int i) {
        return pool[i];
    }

    /** The translation in force, or null. */
    Translation current(int i) {
        return current[i];
    }

    private void invalidateAll() {
        for (List<Translation> h : history) h.clear();
        recompute();
    }

    private void invalidate(long gva) {
        for (int i = 0; i < pool.length; i++) {
            List<Translation> h = history.get(i);
            for (int k = h.size() - 1; k >= 0; k--) if (h.get(k).covers(gva)) h.remove(k);
            if (current[i] != null && !h.contains(current[i])) h.add(current[i]);
        }
    }

    private void tablesChanged(long gpa) {
        int page = memory.page(gpa);
        if (page >= 0 && table[page]) recompute();
    }

    /** Finds out what is in force now. */
    private void recompute() {
        java.util.Arrays.fill(table, false);
        for (int i = 0; i < pool.length; i++) {
            paging.walk(pool[i]);
            for (int k = 0; k < paging.entries; k++) {
                int page = memory.page(paging.entryAt[k]);
                if (page >= 0) table[page] = true;
            }
            Translation t = paging.found;
            current[i] = t;
            if (t != null && !history.get(i).contains(t)) history.get(i).add(t);
        }
    }

    // ---- accesses ----

    /** What the reference changed, to be undone if that was not what happened. */
    private final long[] undoGpa = new long[8], undoValue = new long[8];

    private final int[] undoSize = new int[8];
    private final boolean[] undoWritten = new boolean[8];
    private int undo;

    /** Does an access to a page of the pool and judges the result. */
    void access(int i, int offset, int size, int access, long value, boolean ac) {
        long gva = pool[i] | offset;
        accessed = i;
        boolean user = (access & ReferencePaging.USER) != 0;
        s.cpl = user ? 3 : 0;
        s.rflagsOther = 2 | (ac ? CpuState.AC : 0);
        paging.ac = ac;
        paging.walk(gva);
        doing = String.format("gva %x size %d access %x ac %b value %x", gva, size, access, ac, value);
        deviceGpa = -1;
        s.cr2 = -1;
        accesses++;
        ScriptedEngine.Way way = engine.access(gva, size, access, value);
        List<Translation> h = history.get(i);
        if (h.isEmpty() || h.size() == 1 && h.get(0).equals(paging.found)) certain++;
        boolean allowed = paging.found != null && paging.allowed(paging.found, access);
        switch (way) {
            case FAULT -> {
                faults++;
                if (allowed) throw failure("a fault for no reason, error code " + v.faultError);
                if (v.faultVector != 14 || v.faultError != paging.errorCode(access) || s.cr2 != gva) {
                    throw failure(String.format("error code %x, CR2 %x; must be %x", v.faultError, s.cr2, paging.errorCode(access)));
                }
                if (!entriesAgree()) throw failure("a fault has changed a table");
                // 4.10.4.1: a fault invalidates what the address used.
                invalidate(gva);
                return;
            }
            case DEVICE -> devices++;
            case EMULATED -> emulations++;
            default -> {}
        }
        if (allowed && isResult(paging.found, way, offset, size, access, value, true)) return;
        // An instruction that is emulated has its address translated anew.
        for (Translation t : way == ScriptedEngine.Way.EMULATED ? List.<Translation>of() : h) {
            boolean dirtyEnough = (access & ReferencePaging.WRITE) == 0 || t.dirty();
            if (dirtyEnough && paging.allowed(t, access) && isResult(t, way, offset, size, access, value, false)) {
                stale++;
                return;
            }
        }
        throw failure("the result is none of those that the SDM allows: " + way + String.format(" read %x device %x", engine.read, deviceGpa));
    }

    /** Is the result that of an access through this translation? If so, the reference now has it too. */
    private boolean isResult(Translation t, ScriptedEngine.Way way, int offset, int size, int access, long value, boolean walked) {
        long gpa = t.frame() << 12 | offset;
        boolean write = (access & ReferencePaging.WRITE) != 0;
        if (way == ScriptedEngine.Way.MEMORY && engine.host != vm.memory().host(gpa)) return false;
        if (!memory.present(gpa)) {
            if (way == ScriptedEngine.Way.MEMORY || deviceGpa != gpa) return false;
            long expected = write ? value : gpa * 3;
            if (((write ? deviceValue : engine.read) ^ expected) << 64 - 8 * size != 0) return false;
        } else if (way == ScriptedEngine.Way.DEVICE) {
            // A write to a ROM goes to nobody.
            if (!memory.rom(gpa) || !write || v.gpa != gpa) return false;
        }
        undo = 0;
        if (walked) {
            for (int k = 0; k < paging.entries; k++) remember(paging.entryAt[k], paging.entrySize);
            paging.setAccessed(write);
        }
        if (memory.present(gpa)) {
            if (write) {
                remember(gpa, size);
                memory.write(gpa, size, value);
            } else if (engine.read != memory.read(gpa, size)) {
                return back();
            }
        }
        if (!entriesAgree() || memory.present(gpa) && memory.read(gpa, size) != vm.memory().read(gpa, size)) return back();
        // The TLB knows that D was set, even if the write itself has cleared it again.
        if (walked && write && !t.dirty()) history.get(accessed).add(t.dirtied());
        if (write && (walked && !t.dirty() || memory.present(gpa) && table[memory.page(gpa)])) recompute();
        return true;
    }

    private void remember(long gpa, int size) {
        undoGpa[undo] = gpa;
        undoSize[undo] = size;
        undoWritten[undo] = memory.present(gpa) && memory.written[memory.page(gpa)];
        undoValue[undo++] = memory.read(gpa, size);
    }

    private boolean back() {
        while (undo > 0) {
            undo--;
            memory.write(undoGpa[undo], undoSize[undo], undoValue[undo]);
            if (memory.present(undoGpa[undo])) memory.written[memory.page(undoGpa[undo])] = undoWritten[undo];
        }
        return false;
    }

    /** The entries of the last walk are the same in both memories. */
    private boolean entriesAgree() {
        for (int k = 0; k < paging.entries; k++) {
            long at = paging.entryAt[k];
            if (memory.present(at) && memory.read(at, paging.entrySize) != vm.memory().read(at, paging.entrySize)) return false;
        }
        return true;
    }

    AssertionError failure(String what) {
        StringBuilder b = new StringBuilder(what).append("\n  at ").append(doing);
        b.append(String.format("%n  cr0 %x cr3 %x cr4 %x efer %x, access %d, mmu %s", s.cr0, s.cr3, s.cr4, s.efer, accesses, vm.mmu().kind()));
        b.append("\n  in force: ").append(paging.found).append(paging.reserved ? " (reserved bits)" : "");
        for (int k = 0; k < paging.entries; k++) {
            long at = paging.entryAt[k];
            b.append(String.format("%n  entry at %x: %x", at, memory.read(at, paging.entrySize)));
            if (memory.present(at)) b.append(String.format(", in the guest %x", vm.memory().read(at, paging.entrySize)));
        }
        if (accessed >= 0) b.append("\n  since invalidated: ").append(history.get(accessed));
        return new AssertionError(b.toString());
    }

    @Override
    public void close() {
        try {
            vm.close();
        } catch (KvmException e) {
            throw failure(e.getMessage());
        }
    }

    /** Ports and devices are served on the bus; nothing else happens. */
    private static final class Host implements org.backplane.kvm.core.vm.VmHost {
        @Override
        public boolean servesExits() {
            return true;
        }

        @Override
        public boolean interruptPending(int vcpu) {
            return false;
        }

        @Override
        public int acknowledgeInterrupt(int vcpu) {
            throw new AssertionError("no interrupt is ever pending");
        }

        @Override
        public void boundary() {}

        @Override
        public long instructionBudget() {
            return 1;
        }

        @Override
        public boolean exactBudget() {
            return false;
        }

        @Override
        public void idle() {
            throw new AssertionError("the guest never halts");
        }

        @Override
        public void wake() {}

        @Override
        public long tscNanos() {
            return 0;
        }
    }
}
