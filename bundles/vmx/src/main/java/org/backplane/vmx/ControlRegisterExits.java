package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.vmx.realmode.RealModeUnit;

/** MOV to and from control registers, CLTS and LMSW: exits as controls and guest/host masks say (SDM 3C 25.1.3), else what the processor does. */
final class ControlRegisterExits {
    private static final int GENERAL_PROTECTION = 13;

    /** Access types in the exit qualification of CR accesses (SDM 3C table 27-3). */
    private static final int Q_FROM_CR = 1 << 4, Q_CLTS = 2 << 4, Q_LMSW = 3 << 4, Q_MEMORY = 1 << 6;

    /** CR0 bits that a MOV which does not exit changes, if the host does not own them. */
    private static final long CR0_WRITABLE = CpuState.CR0_MP | CpuState.CR0_EM | CpuState.CR0_TS | CpuState.CR0_AM;

    private final VcpuContext v;
    private final CpuState s;
    private final Vmcs vmcs;
    private final VmExits exits;
    private final RealModeUnit realMode;
    private final VmEntry entry;

    ControlRegisterExits(VmxVcpu x) {
        this.v = x.v;
        this.s = x.v.state;
        this.vmcs = x.vmcs;
        this.exits = x.exits;
        this.realMode = x.realMode;
        this.entry = x.entry;
    }

    int readCr(int cr) {
        switch (cr) {
            case 0 -> v.ioValue = realMode.guestCr0();
            case 2 -> v.ioValue = s.cr2;
            case 3 -> {
                if ((vmcs.primary & Controls.CR3_STORE) != 0) {
                    return exits.exit(ExitReasons.CR_ACCESS, 3 | Q_FROM_CR | v.operandGpr << 8);
                }
                v.ioValue = s.cr3;
            }
            case 4 -> v.ioValue = realMode.guestCr4();
            default -> {
                if ((vmcs.primary & Controls.CR8_STORE) != 0) {
                    return exits.exit(ExitReasons.CR_ACCESS, 8 | Q_FROM_CR | v.operandGpr << 8);
                }
                v.ioValue = tprShadow() ? vmcs.vtpr() >> 4 : s.cr8;
            }
        }
        return Intercepts.DONE;
    }

    /** MOV to CR: an exit where the control or the guest/host mask says so (SDM 3C 25.1.3), else what the processor does. */
    int writeCr(int cr, long value) {
        boolean owned =
                switch (cr) {
                    case 0 -> ((value ^ realMode.guestCr0()) & vmcs.cr0Mask) != 0;
                    case 3 -> (vmcs.primary & Controls.CR3_LOAD) != 0 && !cr3Target(value);
                    case 4 -> ((value ^ realMode.guestCr4()) & vmcs.cr4Mask) != 0;
                    case 8 -> (vmcs.primary & Controls.CR8_LOAD) != 0;
                    default -> false;
                };
        if (owned) return entry.exitAndReenter(ExitReasons.CR_ACCESS, cr | v.operandGpr << 8, value);
        switch (cr) {
            case 0 -> {
                if (value >>> 32 != 0) return v.fault(GENERAL_PROTECTION, 0);
                s.cr0 = s.cr0 & ~CR0_WRITABLE | value & CR0_WRITABLE;
            }
            case 2 -> s.cr2 = value;
            case 3 -> {
                return loadCr3(value);
            }
            case 4 -> s.cr4 ^= realMode.guestCr4() ^ value;
            default -> {
                if ((value & ~15L) != 0) return v.fault(GENERAL_PROTECTION, 0);
                if (tprShadow()) entry.setTpr((int) value << 4);
                else s.cr8 = value;
            }
        }
        return Intercepts.DONE;
    }

    /** CR8 is the virtual task priority (SDM 3C 29.3). */
    private boolean tprShadow() {
        return (vmcs.primary & Controls.TPR_SHADOW) != 0;
    }

    private boolean cr3Target(long value) {
        long count = VmcsField.CR3_TARGET_COUNT.get(vmcs);
        for (int i = 0; i < count; i++) {
            if (vmcs.stored[VmcsField.CR3_TARGET_VALUE0.ordinal() + i] == value) return true;
        }
        return false;
    }

    /** A load of CR3 that does not exit: the guest's own tables change under EPT. */
    private int loadCr3(long value) {
        boolean ia32e = s.longModeActive();
        if (value >>> (ia32e ? GuestWalk.PHYSICAL_BITS : 32) != 0) return v.fault(GENERAL_PROTECTION, 0);
        boolean pae = s.paging() && (s.cr4 & CpuState.CR4_PAE) != 0 && !ia32e;
        if (pae && !GuestWalk.loadPdptes(v.memory, value, v.guestPdpte)) return v.fault(GENERAL_PROTECTION, 0);
        s.cr3 = value;
        v.tlb.flush(SoftTlb.Flush.CONTEXT, s.pcid(), 0);
        return Intercepts.DONE;
    }

    int clts() {
        if ((vmcs.cr0Mask & CpuState.CR0_TS) != 0) {
            if ((s.cr0 & CpuState.CR0_TS) == 0) return Intercepts.DONE;
            return entry.exitAndReenter(ExitReasons.CR_ACCESS, Q_CLTS, 0);
        }
        s.cr0 &= ~CpuState.CR0_TS;
        return Intercepts.DONE;
    }

    /** LMSW writes MP, EM and TS, and can set PE but not clear it. */
    int lmsw(int value) {
        long bits = value & 0xe | s.cr0 & CpuState.CR0_PE | value & CpuState.CR0_PE;
        long cr0 = s.cr0 & ~0xfL | bits;
        if (((cr0 ^ s.cr0) & vmcs.cr0Mask) != 0) {
            boolean memory = v.operandGva >= 0;
            exits.record(ExitReasons.CR_ACCESS, Q_LMSW | (memory ? Q_MEMORY : 0) | (value & 0xffffL) << 16);
            v.exit.value = value;
            if (memory) v.exit.gva = v.operandGva;
            return entry.handleAndReenter(ExitReasons.CR_ACCESS);
        }
        s.cr0 = cr0;
        return Intercepts.DONE;
    }
}
