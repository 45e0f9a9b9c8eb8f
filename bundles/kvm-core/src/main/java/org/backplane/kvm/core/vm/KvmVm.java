package org.backplane.kvm.core.vm;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.core.exit.ExitObserver;
import org.backplane.kvm.core.exit.IoBus;
import org.backplane.kvm.core.exit.Tenure;
import org.backplane.kvm.core.memory.GuestMemory;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * A virtual machine: memory, vCPUs, the three cards of its CPU, and the bus for its exits.
 *
 * <p><b>Threading.</b> Calls of the KVM API come from any thread: those that change memory take all vCPUs out of the guest and let them in
 * again behind the change; inside {@code run} they are refused with EBUSY. Calls that change cards, and {@link #setA20}, need all vCPUs outside of
 * {@code run}; the board makes them on the thread that runs the vCPU.
 */
public final class KvmVm implements Vm {
    /**
     * A foreign handler with the reasons it serves.
     *
     * @param limited it has the time limit of a card
     */
    public record ForeignHandler(ExitHandler handler, BitSet reasons, boolean limited) {
        public ForeignHandler(ExitHandler handler, BitSet reasons) {
            this(handler, reasons, true);
        }

        @Override
        public String toString() {
            return "exit handler " + handler.getClass().getName();
        }
    }

    private final GuestMemory memory = new GuestMemory();
    private final List<KvmVcpu> vcpus = new CopyOnWriteArrayList<>();
    private final GuestGate gate = new GuestGate();
    private final IoBus bus;
    private final VmHost host;
    private final CpuCards cards;
    private final IoBus.CardFault faults;
    private final Runnable onClose;
    private long cpuFeatures;
    private volatile List<ForeignHandler> foreign = List.of();
    private volatile long observedReasons;
    private long foreignReasons;
    private volatile ExitObserver observer;
    private volatile long observerReasons;
    private boolean closed;
    private Auditor auditor = new Auditor(this, 0, violation -> {});

    /**
     * @param host what surrounds it, or {@link VmHost#NONE}
     * @param faults told when a device's handler or a foreign exit handler throws
     * @param onClose told when the VM is closed
     */
    public KvmVm(VmHost host, IoBus.CardFault faults, Map<String, String> mmuProperties, Runnable onClose) {
        this.host = host;
        this.faults = faults;
        this.bus = new IoBus(faults);
        this.onClose = onClose;
        cards = new CpuCards(memory, vcpus, mmuProperties);
        memory.setWriteListener(new GuestMemory.WriteListener() {
            @Override
            public void codeWritten(long frame, int offset, int length) {
                if (cards.present()) cards.emulator().codeWritten(frame, offset, length);
            }

            @Override
            public void preWrite(long gpa, int length) {
                if (cards.present()) cards.mmu().guestPteWritten(gpa, length);
            }
        });
    }

    // ---- parts, for the vCPUs and the board ----

    public GuestMemory memory() {
        return memory;
    }

    public IoBus bus() {
        return bus;
    }

    VmHost host() {
        return host;
    }

    /** Every vCPU is inside while it runs the guest, one at a time. */
    GuestGate gate() {
        return gate;
    }

    CpuCards cards() {
        return cards;
    }

    /** Audits of the MMU. */
    public Auditor auditor() {
        return auditor;
    }

    /** Has the MMU audited every so many exits, from before the first vCPU is made. */
    public void auditEvery(long exits, Consumer<AuditReport.Violation> listener) {
        if (!vcpus.isEmpty()) throw new IllegalStateException("vCPUs exist already");
        auditor = new Auditor(this, exits, listener);
    }

    public Mmu mmu() {
        return cards.mmu();
    }

    public Emulator emulator() {
        return cards.emulator();
    }

    public CpuBackend backend() {
        return cards.backend();
    }

    long cpuFeatures() {
        return cpuFeatures;
    }

    public List<KvmVcpu> vcpus() {
        return vcpus;
    }

    /** The CPU's cards are there; without them no vCPU can run. */
    public boolean cpuPresent() {
        return cards.present();
    }

    /** How real mode is to run once the cards are put in service; null for what suits the first MMU. */
    public void askRealMode(RealMode mode) {
        cards.askRealMode(mode);
    }

    /** How real mode runs with the cards in service. */
    public RealMode realMode() {
        return cards.realMode();
    }

    /** How the MMUs of a factory use their tables. */
    public Mmu.Kind kind(MmuFactory mmu) {
        return cards.kind(mmu);
    }

    /** Puts these cards in service; see {@link CpuCards#install}. All vCPUs are at a boundary. */
    public void installCpu(CpuBackendFactory backend, MmuFactory mmu, EmulatorFactory emulator) {
        cpuFeatures = emulator.cpuFeatures();
        cards.install(new CpuCards.Choice(backend, mmu, emulator));
    }

    /** Has these cards run a guest of their own: what is slow or fails does so while this one runs on. Any thread. */
    public void rehearseCpu(CpuBackendFactory backend, MmuFactory mmu, EmulatorFactory emulator) {
        cards.rehearse(new CpuCards.Choice(backend, mmu, emulator));
    }

    /** Takes the CPU's cards out of service. */
    public void removeCpu() {
        cards.remove();
    }

    /** The A20 gate moved: nothing that was translated holds. */
    public void setA20(boolean enabled) {
        if (memory.a20() == enabled) return;
        memory.setA20(enabled);
        memoryChanged();
    }

    // ---- exits that somebody else wants to see ----

    /** Replaces the foreign handlers. */
    public void setForeignHandlers(List<ForeignHandler> handlers) {
        foreign = List.copyOf(handlers);
        long reasons = 0;
        for (ForeignHandler h : handlers) {
            for (int r = h.reasons().nextSetBit(0); r >= 0 && r < 64; r = h.reasons().nextSetBit(r + 1)) reasons |= 1L << r;
        }
        foreignReasons = reasons;
        observedReasons = foreignReasons | observerReasons;
    }

    /**
     * Replaces the observer.
     *
     * @param reasons bit n: it is told of exits of reason n; 0: nobody observes. Changes with the vCPUs at a boundary.
     */
    public void observe(ExitObserver o, long reasons) {
        observer = o;
        observerReasons = reasons;
        observedReasons = foreignReasons | observerReasons;
    }

    /** Who must be told of an exit of this reason, or null. */
    ExitObserver observer(int reason) {
        return (observerReasons >>> (reason & 63) & 1) != 0 ? observer : null;
    }

    boolean observed(int reason) {
        return (observedReasons >>> (reason & 63) & 1) != 0;
    }

    /** Asks them in their order. One that throws is reported and is asked no more; the exit is the next one's. */
    ExitHandler.Result askForeignHandlers(VcpuContext v) {
        for (ForeignHandler h : foreign) {
            if (!h.reasons().get(v.exit.reason)) continue;
            ExitHandler.Result r = ask(h, v);
            if (r != ExitHandler.Result.PASS) return r;
        }
        return ExitHandler.Result.PASS;
    }

    private ExitHandler.Result ask(ForeignHandler h, VcpuContext v) {
        Tenure t = bus.tenure();
        Object before = t.enter(h.limited() ? h : null);
        ExitHandler.Result result = ExitHandler.Result.PASS;
        try {
            result = h.handler().handle(v, v.exit);
        } catch (Throwable e) {
            if (e instanceof Tenure.Lost lost) throw lost;
            dropForeignHandler(h);
            faults.handlerThrew(h.toString(), e);
        }
        t.leave(before);
        return result;
    }

    /** It is asked no more; anything else than a foreign handler is ignored. */
    public void dropForeignHandler(Object handler) {
        if (handler instanceof ForeignHandler) setForeignHandlers(foreign.stream().filter(other -> other != handler).toList());
    }

    // ---- the KVM API ----

    @Override
    public void setMemoryRegion(int slot, int flags, long guestPhysAddr, long memorySize) {
        change(slot, flags, guestPhysAddr, memorySize, null);
    }

    @Override
    public void setUserMemoryRegion(int slot, int flags, long guestPhysAddr, MemorySegment user) {
        change(slot, flags, guestPhysAddr, user.byteSize(), user.byteSize() == 0 ? null : user);
    }

    private void change(int slot, int flags, long gpa, long size, MemorySegment user) {
        withVcpusOut(() -> {
            GuestMemory.Released old = memory.set(slot, flags, gpa, size, user);
            memoryChanged();
            old.release();
            return null;
        });
    }

    /**
     * Executes with all vCPUs outside of the guest, one caller at a time.
     *
     * @throws KvmException EBUSY when the caller is inside {@code run}: it would wait for itself
     */
    private <T> T withVcpusOut(Supplier<T> task) {
        if (gate.holds()) throw new KvmException(Errno.EBUSY, "the call comes from inside KVM_RUN of a vCPU of this VM");
        synchronized (this) {
            gate.close(() -> vcpus.forEach(KvmVcpu::leaveGuest));
            try {
                synchronized (memory) {
                    return task.get();
                }
            } finally {
                gate.open();
            }
        }
    }

    /** Executes while no vCPU but one that the caller runs is inside the guest. */
    <T> T exclusively(Supplier<T> task) {
        return gate.holds() ? task.get() : withVcpusOut(task);
    }

    @Override
    public void setMemoryAlias(int alias, int flags, long guestPhysAddr, long memorySize, long targetPhysAddr) {
        withVcpusOut(() -> {
            memory.setAlias(alias, flags, guestPhysAddr, memorySize, targetPhysAddr);
            memoryChanged();
            return null;
        });
    }

    private void memoryChanged() {
        if (!cards.present()) return;
        cards.mmu().slotsChanged();
        cards.emulator().flushCode();
        for (KvmVcpu c : vcpus) c.control().newContext();
    }

    @Override
    public MemorySegment map() {
        return memory.fromZero();
    }

    @Override
    public void writeMemory(long gpa, byte[] bytes) {
        withVcpusOut(() -> {
            try {
                memory.write(gpa, bytes, 0, bytes.length);
                return null;
            } catch (IndexOutOfBoundsException e) {
                throw new KvmException(Errno.EFAULT, e.getMessage());
            }
        });
    }

    @Override
    public byte[] readMemory(long gpa, int length) {
        byte[] to = new byte[length];
        // No slot goes away in the middle; the vCPUs need not stop.
        synchronized (memory) {
            try {
                memory.read(gpa, to, 0, length);
            } catch (IndexOutOfBoundsException e) {
                throw new KvmException(Errno.EFAULT, e.getMessage());
            }
        }
        return to;
    }

    @Override
    public BitSet getDirtyLog(int slot) {
        return withVcpusOut(() -> {
            BitSet dirty = memory.takeDirty(slot);
            if (cards.present() && !dirty.isEmpty()) {
                for (VmMemory.Slot range : memory.rangesOf(slot)) cards.mmu().writeProtect(range);
                for (KvmVcpu c : vcpus) c.context().tlb.flush(false);
            }
            return dirty;
        });
    }

    @Override
    public KvmVcpu createVcpu(int id) {
        if (id < 0 || id >= MAX_VCPUS) throw new KvmException(Errno.EINVAL, "vCPU id " + id + " is out of range");
        return withVcpusOut(() -> {
            for (KvmVcpu c : vcpus) if (c.id() == id) throw new KvmException(Errno.EEXIST, "vCPU " + id + " exists");
            KvmVcpu c = new KvmVcpu(id, this);
            vcpus.add(c);
            if (cards.present()) cards.attach(c);
            return c;
        });
    }

    @Override
    public void close() {
        withVcpusOut(() -> {
            if (closed) return null;
            closed = true;
            cards.remove();
            memory.close();
            onClose.run();
            return null;
        });
    }

    /** The vCPUs with their contexts, for look-ups. */
    public List<VcpuContext> contexts() {
        List<VcpuContext> all = new ArrayList<>();
        for (KvmVcpu c : vcpus) all.add(c.context());
        return all;
    }
}
