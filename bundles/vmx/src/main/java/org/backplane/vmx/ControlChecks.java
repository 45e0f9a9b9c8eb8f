package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.EntryRule.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.GuestWalk;

/**
 * The checks on VM-execution, VM-exit and VM-entry control fields (SDM 3C 26.2.1). A method answers the rule that is broken, or null.
 * {@link #controls} looks at what changes only with VMWRITE; {@link #windows}, {@link #tpr} and {@link #injection} are asked at every entry that
 * has such a thing.
 */
final class ControlChecks {
    /** Vectors of exceptions that push an error code: 8, 10 to 14, 17. */
    private static final int HAS_ERROR_CODE = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

    /** Event types that {@code CpuState} does not name: reserved, and "other event". */
    private static final int TYPE_RESERVED = 1 << 8, TYPE_OTHER = 7 << 8;

    private ControlChecks() {}

    /** The fields that only VMWRITE changes. */
    static EntryRule controls(Vmcs m) {
        EntryRule broken = execution(m);
        if (broken == null) broken = exit(m);
        return broken != null ? broken : entry(m);
    }

    /** SDM 3C 26.2.1.1. */
    private static EntryRule execution(Vmcs m) {
        int secondary = m.activeSecondary();
        if (!Controls.valid(m.pin, Controls.PIN_MUST, Controls.PIN_MAY)) return PIN_RESERVED;
        if (!Controls.valid(m.primary, Controls.PRIMARY_MUST, Controls.PRIMARY_MAY)) return PRIMARY_RESERVED;
        if (!Controls.valid(secondary, Controls.SECONDARY_MUST, Controls.SECONDARY_MAY)) return SECONDARY_RESERVED;
        if (VmcsField.CR3_TARGET_COUNT.get(m) > Controls.CR3_TARGETS) return CR3_TARGETS;
        if ((m.primary & Controls.IO_BITMAPS) != 0 && !(page(m, VmcsField.IO_BITMAP_A) && page(m, VmcsField.IO_BITMAP_B))) {
            return IO_BITMAP_ADDRESS;
        }
        if ((m.primary & Controls.MSR_BITMAPS) != 0 && !page(m, VmcsField.MSR_BITMAPS)) return MSR_BITMAP_ADDRESS;
        if ((m.primary & Controls.TPR_SHADOW) != 0) {
            if (!page(m, VmcsField.VIRTUAL_APIC_ADDRESS)) return VIRTUAL_APIC_ADDRESS;
            if (VmcsField.TPR_THRESHOLD.get(m) >>> 4 != 0) return TPR_THRESHOLD_RESERVED;
        }
        if ((m.pin & Controls.PIN_VIRTUAL_NMI) != 0 && (m.pin & Controls.PIN_NMI) == 0) return VIRTUAL_NMIS;
        if ((secondary & Controls.VIRTUALIZE_APIC) != 0 && !page(m, VmcsField.APIC_ACCESS_ADDRESS)) return APIC_ACCESS_ADDRESS;
        if ((secondary & Controls.VPID) != 0 && VmcsField.VIRTUAL_PROCESSOR_IDENTIFIER.get(m) == 0) return VPID_ZERO;
        if ((secondary & Controls.EPT) != 0) return eptp(VmcsField.EPT_POINTER.get(m));
        return (secondary & Controls.UNRESTRICTED_GUEST) != 0 ? UNRESTRICTED_EPT : null;
    }

    /** Memory type in bits 2:0, page-walk length less 1 in 5:3, accessed and dirty flags in 6 (SDM 3C 24.6.11). */
    private static EntryRule eptp(long eptp) {
        int type = (int) eptp & 7;
        if (type != 0 && type != 6) return EPTP_MEMORY_TYPE;
        if ((eptp >> 3 & 7) != 3) return EPTP_WALK_LENGTH;
        return (eptp & 0xf80) != 0 || eptp >>> GuestWalk.PHYSICAL_BITS != 0 ? EPTP_RESERVED : null;
    }

    /** SDM 3C 26.2.1.2. */
    private static EntryRule exit(Vmcs m) {
        int exit = (int) VmcsField.VM_EXIT_CONTROLS.get(m);
        if (!Controls.valid(exit, Controls.EXIT_MUST, Controls.EXIT_MAY)) return EXIT_RESERVED;
        if ((exit & Controls.EXIT_SAVE_TIMER) != 0 && (m.pin & Controls.PIN_PREEMPTION_TIMER) == 0) return SAVE_TIMER;
        if (!area(m, VmcsField.VM_EXIT_MSR_STORE_COUNT, VmcsField.VM_EXIT_MSR_STORE_ADDRESS)) return EXIT_STORE_AREA;
        return area(m, VmcsField.VM_EXIT_MSR_LOAD_COUNT, VmcsField.VM_EXIT_MSR_LOAD_ADDRESS) ? null : EXIT_LOAD_AREA;
    }

    /** SDM 3C 26.2.1.3, without the event. */
    private static EntryRule entry(Vmcs m) {
        int entry = (int) VmcsField.VM_ENTRY_CONTROLS.get(m);
        if (!Controls.valid(entry, Controls.ENTRY_MUST, Controls.ENTRY_MAY)) return ENTRY_RESERVED;
        return area(m, VmcsField.VM_ENTRY_MSR_LOAD_COUNT, VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS) ? null : ENTRY_LOAD_AREA;
    }

    private static boolean page(Vmcs m, VmcsField address) {
        long a = address.get(m);
        return (a & 0xfff) == 0 && a >>> GuestWalk.PHYSICAL_BITS == 0;
    }

    /** 16 bytes an entry; an empty area may be anywhere. */
    private static boolean area(Vmcs m, VmcsField count, VmcsField address) {
        long n = count.get(m);
        long a = address.get(m);
        if (n == 0) return true;
        return (a & 15) == 0 && a >>> GuestWalk.PHYSICAL_BITS == 0 && a + n * 16 - 1 >>> GuestWalk.PHYSICAL_BITS == 0;
    }

    /** NMI-window exiting comes and goes with {@code v.nmiWindow}. */
    static EntryRule windows(Vmcs m) {
        return m.v.nmiWindow && (m.pin & Controls.PIN_VIRTUAL_NMI) == 0 ? NMI_WINDOW : null;
    }

    /** VTPR is in memory that others write. */
    static EntryRule tpr(Vmcs m, int vtpr) {
        if ((m.activeSecondary() & Controls.VIRTUALIZE_APIC) != 0) return null;
        return VmcsField.TPR_THRESHOLD.get(m) > vtpr >> 4 ? TPR_THRESHOLD_VTPR : null;
    }

    /**
     * The VM-entry interruption-information field, when its valid bit is set (SDM 3C 26.2.1.3).
     *
     * <p>Real mode without unrestricted guest is no VM entry of the hardware's: about the error code it has no rule for it.
     */
    static EntryRule injection(CpuState s, boolean unrestrictedGuest) {
        int info = s.injectInfo;
        int vector = info & 0xff;
        int type = info & INFO_TYPE;
        if (type == TYPE_RESERVED) return EVENT_TYPE;
        if (type == TYPE_NMI && vector != 2) return EVENT_NMI_VECTOR;
        if (type == TYPE_HARDWARE_EXCEPTION && vector > 31) return EVENT_EXCEPTION_VECTOR;
        if (type == TYPE_OTHER && vector != 0) return EVENT_OTHER_VECTOR;
        boolean code = type == TYPE_HARDWARE_EXCEPTION && (HAS_ERROR_CODE >> vector & 1) != 0 && s.protectedMode();
        boolean ruled = unrestrictedGuest || s.protectedMode();
        if (ruled && ((info & INFO_ERROR_CODE) != 0) != code) return EVENT_ERROR_CODE;
        if ((info & 0x7ffff000) != 0) return EVENT_RESERVED;
        if (code && (s.injectError & 0xffff8000) != 0) return EVENT_ERROR_RESERVED;
        boolean software = type >= TYPE_SOFTWARE_INTERRUPT && type != TYPE_OTHER;
        return software && (s.injectLength < 1 || s.injectLength > 15) ? EVENT_LENGTH : null;
    }
}
