package org.backplane.vmx;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.vmx.realmode.RealModeUnit;

/**
 * One virtual processor with VT-x: VM entry ({@link VmEntry}), the engine's run in VMX non-root operation, and VM exits as the controls in
 * the {@link Vmcs} order them, each subject in a class of its own behind this front.
 *
 * <p><b>CR2.</b> For a #PF exit the handler sets CR2 before it answers FAULT; a #PF that does not exit gets its CR2 from the paging
 * unit, as in the hardware.
 *
 * <p><b>Threading.</b> The vCPU's thread.
 */
final class VmxVcpu implements Intercepts {
    final VcpuContext v;
    final RealModeUnit realMode;
    final Vmcs vmcs;
    final VmExits exits;
    final VmEntry entry;
    private final VmxRoot root;
    private final Mmu mmu;
    private final MemoryExits memory;
    private final PortExits ports;
    private final InstructionExits instructions;
    private final ControlRegisterExits control;
    private final DebugRegisterExits debug;
    private final EventExits events;
    private PagingUnit paging;

    VmxVcpu(VcpuContext v, Emulator emulator, Mmu mmu) {
        this.v = v;
        this.mmu = mmu;
        realMode = new RealModeUnit(v, emulator, state -> EntryChecks.needsUnrestrictedGuest(state) != null);
        root = new VmxRoot(v, realMode);
        root.vmxon(root.newRegion());
        long region = root.newRegion();
        root.vmclear(region);
        root.vmptrld(region);
        vmcs = root.current();
        exits = new VmExits(v, realMode);
        entry = new VmEntry(v, vmcs, exits, realMode, emulator);
        memory = new MemoryExits(this);
        ports = new PortExits(this);
        instructions = new InstructionExits(this);
        control = new ControlRegisterExits(this);
        debug = new DebugRegisterExits(this);
        events = new EventExits(this);
    }

    /** Makes the VMCS and the paging unit for the way the MMU and real mode work now. */
    void mmuChanged(RealMode mode, RealModePages pages) {
        vmcs.setUp(mmu, mode == RealMode.UNRESTRICTED);
        realMode.configure(mode, mmu.kind() == Mmu.Kind.TWO_DIMENSIONAL, pages);
        paging = mmu.kind() == Mmu.Kind.SHADOW ? new ShadowPaging(this) : new TwoDimensionalPaging(this);
    }

    /** The VMX instructions of the hypervisor that runs this vCPU. */
    VmxRoot root() {
        return root;
    }

    /** Leaves VMX operation for good. */
    void close() {
        root.close();
    }

    PagingUnit paging() {
        return paging;
    }

    /** {@link CpuBackend#enter}: the VMCS is made of {@code CpuState}, which somebody may have changed, and entered. */
    int enter(long budget, boolean exact) {
        EntryChecks.saveSingleStep(vmcs);
        return entry.enter(budget, exact);
    }

    /** The VMCS with what the processor would hold in the guest's registers. The vCPU is outside of {@link #enter}. */
    VmcsView vmcsView() {
        try {
            if (realMode.choose() != RealModeUnit.EMULATED) realMode.toProcessor();
            return vmcs.view();
        } finally {
            realMode.toGuest();
        }
    }

    long exitCount(int reason) {
        return exits.counted(reason);
    }

    void addCounters(Map<String, Long> c) {
        entry.addCounters(c);
        realMode.addCounters(c);
    }

    // ---- memory

    @Override
    public long translate(VcpuContext v, long gva, int access) {
        return paging.translate(gva, access);
    }

    @Override
    public int mmioRead(VcpuContext v, long gpa, int size) {
        return memory.mmioRead(gpa, size);
    }

    @Override
    public int mmioWrite(VcpuContext v, long gpa, int size, long value) {
        return memory.mmioWrite(gpa, size, value);
    }

    @Override
    public int invlpg(VcpuContext v, long gva) {
        return memory.invlpg(gva);
    }

    // ---- ports

    @Override
    public int portIn(VcpuContext v, int port, int size) {
        return ports.portIn(port, size);
    }

    @Override
    public int portOut(VcpuContext v, int port, int size, int value) {
        return ports.portOut(port, size, value);
    }

    // ---- instructions

    @Override
    public int cpuid(VcpuContext v) {
        return instructions.cpuid();
    }

    @Override
    public int rdtsc(VcpuContext v) {
        return instructions.rdtsc();
    }

    @Override
    public int rdmsr(VcpuContext v, int index) {
        return instructions.rdmsr(index);
    }

    @Override
    public int wrmsr(VcpuContext v, int index, long value) {
        return instructions.wrmsr(index, value);
    }

    @Override
    public int instruction(VcpuContext v, int reason) {
        return instructions.instruction(reason);
    }

    // ---- control and debug registers

    @Override
    public int readCr(VcpuContext v, int cr) {
        return control.readCr(cr);
    }

    @Override
    public int writeCr(VcpuContext v, int cr, long value) {
        return control.writeCr(cr, value);
    }

    @Override
    public int clts(VcpuContext v) {
        return control.clts();
    }

    @Override
    public int lmsw(VcpuContext v, int value) {
        return control.lmsw(value);
    }

    @Override
    public int readDr(VcpuContext v, int dr) {
        return debug.readDr(dr);
    }

    @Override
    public int writeDr(VcpuContext v, int dr, long value) {
        return debug.writeDr(dr, value);
    }

    // ---- events

    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        return events.exception(vector, errorCode, address);
    }

    @Override
    public int softwareException(VcpuContext v, int vector) {
        return events.softwareException(vector);
    }

    @Override
    public int monitorTrap(VcpuContext v) {
        return events.monitorTrap();
    }

    @Override
    public int interruptWindow(VcpuContext v) {
        return events.interruptWindow();
    }

    @Override
    public int nmiWindow(VcpuContext v) {
        return events.nmiWindow();
    }

    @Override
    public int taskSwitch(VcpuContext v, int selector, int source) {
        return events.taskSwitch(selector, source);
    }

    @Override
    public int tripleFault(VcpuContext v) {
        return events.tripleFault();
    }
}
