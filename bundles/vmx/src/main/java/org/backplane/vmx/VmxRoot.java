package org.backplane.vmx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.FrameTable;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.vmx.realmode.RealModeUnit;

/**
 * VMX root operation of one logical processor: the VMX instructions of SDM 3C chapter 30 as the hypervisor executes them.
 *
 * <p>A VMCS region is a shadow frame of the VM's frame table whose first word is the {@link #REVISION}; its address is frame number * 4096. What a
 * VMCS holds is kept in the processor ({@link Vmcs}) from VMCLEAR on, as the SDM allows: nobody but the processor reads the rest of the region.
 *
 * <p>A failed instruction throws {@link VmFailException}, and VM_INSTRUCTION_ERROR of the current VMCS keeps the number.
 *
 * <p><b>Threading.</b> The vCPU's thread, or another while the vCPU is outside of the guest.
 */
final class VmxRoot implements AutoCloseable {
    /** VMCS revision identifier (IA32_VMX_BASIC bits 30:0). */
    static final int REVISION = 0xb;

    private static final long NONE = -1;

    private final VcpuContext v;
    private final RealModeUnit realMode;
    private final FrameTable frames;
    private final Map<Long, Vmcs> regions = new HashMap<>();
    private final List<Long> allocated = new ArrayList<>();
    private long vmxon = NONE, currentAddress = NONE;
    private Vmcs current;

    VmxRoot(VcpuContext v, RealModeUnit realMode) {
        this.v = v;
        this.realMode = realMode;
        this.frames = v.memory.frames();
    }

    /** Takes a frame and writes the revision into it: the address of a region for VMXON, or for VMCLEAR and VMPTRLD. */
    long newRegion() {
        long frame = frames.allocate();
        HostMemory.putInt(frames.host(frame), REVISION);
        allocated.add(frame);
        return frame << 12;
    }

    /** The current VMCS, or null. */
    Vmcs current() {
        return current;
    }

    void vmxon(long region) {
        if (vmxon != NONE) throw fail(VmFailException.VMXON_IN_ROOT, "VMXON in VMX root operation");
        if (!address(region) || revision(region) != REVISION) throw new VmFailException(VmFailException.INVALID, "VMXON region");
        vmxon = region;
    }

    /** VMXOFF: leaves VMX operation. What the processor keeps of the regions is lost. */
    void vmxoff() {
        vmxon = NONE;
        currentAddress = NONE;
        current = null;
        regions.clear();
    }

    /** VMCLEAR: the region's VMCS may be launched. If it was the current one, there is none. */
    Vmcs vmclear(long region) {
        inOperation();
        if (!address(region)) throw fail(VmFailException.CLEAR_ADDRESS, "VMCLEAR with an invalid address");
        if (region == vmxon) throw fail(VmFailException.CLEAR_VMXON, "VMCLEAR of the VMXON region");
        Vmcs m = regions.computeIfAbsent(region, r -> new Vmcs(v, realMode));
        m.clear();
        if (region == currentAddress) {
            current = null;
            currentAddress = NONE;
        }
        return m;
    }

    /** VMPTRLD: makes a region's VMCS the current one. */
    void vmptrld(long region) {
        inOperation();
        if (!address(region)) throw fail(VmFailException.LOAD_ADDRESS, "VMPTRLD with an invalid address");
        if (region == vmxon) throw fail(VmFailException.LOAD_VMXON, "VMPTRLD of the VMXON region");
        if (revision(region) != REVISION) throw fail(VmFailException.LOAD_REVISION, "VMPTRLD of a region with another revision");
        current = regions.computeIfAbsent(region, r -> new Vmcs(v, realMode));
        currentAddress = region;
    }

    /** VMPTRST: the address of the current VMCS, all ones if there is none. */
    long vmptrst() {
        inOperation();
        return currentAddress;
    }

    long vmread(int encoding) {
        return noted(() -> valid().vmread(encoding));
    }

    void vmwrite(int encoding, long value) {
        noted(() -> {
            valid().vmwrite(encoding, value);
            return 0;
        });
    }

    /** The part of VMLAUNCH before the guest state: launch state, controls, host state. */
    void vmlaunch() {
        entered(valid().launch());
    }

    /** The part of VMRESUME before the guest state. */
    void vmresume() {
        entered(valid().resume());
    }

    private void entered(boolean passed) {
        if (!passed) throw new VmFailException(v.exit.instructionError, v.exit.failedCheck);
    }

    /** An instruction of the current VMCS that fails leaves its number there. */
    private interface Instruction {
        long run();
    }

    private long noted(Instruction instruction) {
        try {
            return instruction.run();
        } catch (VmFailException e) {
            v.exit.instructionError = e.error;
            throw e;
        }
    }

    private void inOperation() {
        if (vmxon == NONE) throw new IllegalStateException("#UD: not in VMX operation");
    }

    private Vmcs valid() {
        inOperation();
        if (current == null) throw new VmFailException(VmFailException.INVALID, "there is no current VMCS");
        return current;
    }

    private VmFailException fail(int error, String what) {
        if (current == null) return new VmFailException(VmFailException.INVALID, what);
        v.exit.instructionError = error;
        return new VmFailException(error, what);
    }

    /** Page-aligned and within the physical-address width. */
    private static boolean address(long region) {
        return (region & 0xfff) == 0 && region >>> GuestWalk.PHYSICAL_BITS == 0;
    }

    /** First word of a page; memory that is not there reads all ones. */
    private int revision(long region) {
        long host = frames.host(region >>> 12);
        return host == 0 ? -1 : HostMemory.getInt(host);
    }

    /** Gives the regions back. */
    @Override
    public void close() {
        vmxoff();
        for (long frame : allocated) frames.free(frame);
        allocated.clear();
    }
}
