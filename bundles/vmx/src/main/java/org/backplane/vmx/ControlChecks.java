package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The checks on VM-execution, VM-exit and VM-entry control fields and on the host state (SDM 3C 26.2). A method answers the
 * rule that is broken, or null. Controls and host state change only with VMWRITE; the event to be injected is checked at every entry that has one.
 */
final class ControlChecks {
    private static final int BREAKPOINT = 3, OVERFLOW = 4;

    /** Vectors of exceptions that push an error code: 8, 10 to 14, 17. */
    private static final int HAS_ERROR_CODE = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

    private ControlChecks() {}

    /** SDM 3C 26.2.1.1 and 26.2.1.2. */
    static String controls(Vmcs m) {
        if (!Controls.valid(m.pin, Controls.PIN_MUST, Controls.PIN_MAY)) return "SDM 26.2.1.1: reserved bits of the pin-based controls";
        if (!Controls.valid(m.primary, Controls.PRIMARY_MUST, Controls.PRIMARY_MAY)) {
            return "SDM 26.2.1.1: reserved bits of the primary processor-based controls";
        }
        int secondary = m.primary < 0 ? m.secondary : 0;
        if (!Controls.valid(secondary, Controls.SECONDARY_MUST, Controls.SECONDARY_MAY)) {
            return "SDM 26.2.1.1: reserved bits of the secondary processor-based controls";
        }
        if (VmcsField.CR3_TARGET_COUNT.get(m) > Controls.CR3_TARGETS) return "SDM 26.2.1.1: the CR3-target count is at most 4";
        if ((m.pin & Controls.PIN_VIRTUAL_NMI) != 0 && (m.pin & Controls.PIN_NMI) == 0) {
            return "SDM 26.2.1.1: virtual NMIs need NMI exiting";
        }
        if (m.unrestrictedGuest() && !m.ept()) return "SDM 26.2.1.1: unrestricted guest needs EPT";
        int exit = (int) VmcsField.VM_EXIT_CONTROLS.get(m);
        if (!Controls.valid(exit, Controls.EXIT_MUST, Controls.EXIT_MAY)) return "SDM 26.2.1.2: reserved bits of the VM-exit controls";
        int entry = (int) VmcsField.VM_ENTRY_CONTROLS.get(m);
        if (!Controls.valid(entry, Controls.ENTRY_MUST, Controls.ENTRY_MAY)) return "SDM 26.2.1.3: reserved bits of the VM-entry controls";
        return null;
    }

    /** SDM 3C 26.2.2 to 26.2.4. */
    static String hostState(Vmcs m) {
        long fixed = CR0_PG | CR0_PE | CR0_NE;
        if ((VmcsField.HOST_CR0.get(m) & fixed) != fixed) return "SDM 26.2.2: host CR0 fixed bits";
        if ((VmcsField.HOST_CR4.get(m) & CR4_VMXE) == 0) return "SDM 26.2.2: host CR4.VMXE is 1";
        if ((VmcsField.HOST_CR4.get(m) & CR4_PAE) == 0) return "SDM 26.2.4: host CR4.PAE is 1 for a 64-bit host";
        if ((VmcsField.VM_EXIT_CONTROLS.get(m) & Controls.EXIT_HOST_64) == 0) return "SDM 26.2.4: the host is in 64-bit mode";
        VmcsField[] selectors = {
            VmcsField.HOST_ES_SELECTOR, VmcsField.HOST_CS_SELECTOR, VmcsField.HOST_SS_SELECTOR, VmcsField.HOST_DS_SELECTOR,
            VmcsField.HOST_FS_SELECTOR, VmcsField.HOST_GS_SELECTOR, VmcsField.HOST_TR_SELECTOR
        };
        for (VmcsField f : selectors) {
            if ((f.get(m) & 7) != 0) return "SDM 26.2.3: RPL and TI of host selectors are 0";
        }
        if (VmcsField.HOST_CS_SELECTOR.get(m) == 0) return "SDM 26.2.3: the host CS selector is not 0";
        if (VmcsField.HOST_TR_SELECTOR.get(m) == 0) return "SDM 26.2.3: the host TR selector is not 0";
        return null;
    }

    /** The VM-entry interruption-information field, when its valid bit is set (SDM 3C 26.2.1.3). */
    static String injection(CpuState s, boolean unrestrictedGuest) {
        int info = s.injectInfo;
        int vector = info & 0xff;
        if ((info & 0x7ffff000) != 0) return "SDM 26.2.1.3: reserved bits of the interruption information";
        boolean exception = false;
        switch (info & INFO_TYPE) {
            case TYPE_EXTERNAL -> {}
            case TYPE_NMI -> {
                if (vector != 2) return "SDM 26.2.1.3: the vector of an NMI is 2";
            }
            case TYPE_HARDWARE_EXCEPTION -> {
                if (vector > 31) return "SDM 26.2.1.3: the vector of a hardware exception is at most 31";
                exception = true;
            }
            case TYPE_SOFTWARE_EXCEPTION -> {
                if (vector != BREAKPOINT && vector != OVERFLOW) return "SDM 26.2.1.3: a software exception is #BP or #OF";
            }
            case TYPE_SOFTWARE_INTERRUPT, TYPE_PRIVILEGED_SOFTWARE_EXCEPTION -> {}
            default -> {
                return "SDM 26.2.1.3: the interruption type is reserved";
            }
        }
        boolean code = exception && (HAS_ERROR_CODE >> vector & 1) != 0 && s.protectedMode();
        // Real mode without unrestricted guest is no VM entry of the hardware's: it has no rule for it.
        boolean ruled = unrestrictedGuest || s.protectedMode();
        if (ruled && ((info & INFO_ERROR_CODE) != 0) != code) return "SDM 26.2.1.3: an error code exactly where the exception has one";
        if (code && (s.injectError & 0xffff8000) != 0) return "SDM 26.2.1.3: bits 31:15 of the error code are 0";
        boolean software = (info & INFO_TYPE) >= TYPE_SOFTWARE_INTERRUPT;
        if (software && (s.injectLength < 1 || s.injectLength > 15)) {
            return "SDM 26.2.1.3: the instruction length of a software event is 1 to 15";
        }
        return null;
    }
}
