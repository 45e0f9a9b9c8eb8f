package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

/**
 * Where the values of VMCS fields live: the views of {@link VmcsField}, one line each; a field that is not here is stored.
 *
 * <p>Two switches, and no function for each field: linking two hundred functions takes more than ten milliseconds, and after an update in place the guest
 * waits for it.
 */
final class VmcsViews {
    private VmcsViews() {}

    /** The value; what is above the field's width means nothing. */
    static long read(Vmcs m, VmcsField f) {
        return switch (f) {
            case GUEST_ES_SELECTOR -> m.s.segSel[ES];
            case GUEST_CS_SELECTOR -> m.s.segSel[CS];
            case GUEST_SS_SELECTOR -> m.s.segSel[SS];
            case GUEST_DS_SELECTOR -> m.s.segSel[DS];
            case GUEST_FS_SELECTOR -> m.s.segSel[FS];
            case GUEST_GS_SELECTOR -> m.s.segSel[GS];
            case GUEST_LDTR_SELECTOR -> m.s.segSel[LDTR];
            case GUEST_TR_SELECTOR -> m.s.segSel[TR];
            case TSC_OFFSET -> m.tscOffset;
            case EPT_POINTER -> m.eptp();
            case GUEST_PHYSICAL_ADDRESS -> m.v.exit.gpa;
            case GUEST_IA32_EFER -> m.s.efer;
            case GUEST_PDPTE0 -> m.pdptes()[0];
            case GUEST_PDPTE1 -> m.pdptes()[1];
            case GUEST_PDPTE2 -> m.pdptes()[2];
            case GUEST_PDPTE3 -> m.pdptes()[3];
            case PIN_BASED_CONTROLS -> m.pin;
            case PRIMARY_PROCESSOR_BASED_CONTROLS -> m.primaryWithWindows();
            case EXCEPTION_BITMAP -> m.exceptionBitmap();
            case PAGE_FAULT_ERROR_CODE_MASK -> m.pageFaultMask;
            case PAGE_FAULT_ERROR_CODE_MATCH -> m.pageFaultMatch;
            case VM_ENTRY_CONTROLS -> m.entryControls();
            case VM_ENTRY_INTERRUPTION_INFORMATION -> m.s.injectInfo;
            case VM_ENTRY_EXCEPTION_ERROR_CODE -> m.s.injectError;
            case VM_ENTRY_INSTRUCTION_LENGTH -> m.s.injectLength;
            case SECONDARY_PROCESSOR_BASED_CONTROLS -> m.secondary;
            case VM_INSTRUCTION_ERROR -> m.v.exit.instructionError;
            case EXIT_REASON -> m.v.exit.reason;
            case VM_EXIT_INTERRUPTION_INFORMATION -> m.v.exit.interruptionInfo;
            case VM_EXIT_INTERRUPTION_ERROR_CODE -> m.v.exit.interruptionError;
            case IDT_VECTORING_INFORMATION -> m.s.vectoringInfo;
            case IDT_VECTORING_ERROR_CODE -> m.s.vectoringError;
            case VM_EXIT_INSTRUCTION_LENGTH -> m.v.exit.insnLength;
            case VM_EXIT_INSTRUCTION_INFORMATION -> m.v.exit.instructionInformation;
            case GUEST_ES_LIMIT -> m.s.segLimit[ES];
            case GUEST_CS_LIMIT -> m.s.segLimit[CS];
            case GUEST_SS_LIMIT -> m.s.segLimit[SS];
            case GUEST_DS_LIMIT -> m.s.segLimit[DS];
            case GUEST_FS_LIMIT -> m.s.segLimit[FS];
            case GUEST_GS_LIMIT -> m.s.segLimit[GS];
            case GUEST_LDTR_LIMIT -> m.s.segLimit[LDTR];
            case GUEST_TR_LIMIT -> m.s.segLimit[TR];
            case GUEST_GDTR_LIMIT -> m.s.gdtLimit;
            case GUEST_IDTR_LIMIT -> m.s.idtLimit;
            case GUEST_ES_ACCESS_RIGHTS -> m.s.segAr[ES];
            case GUEST_CS_ACCESS_RIGHTS -> m.s.segAr[CS];
            case GUEST_SS_ACCESS_RIGHTS -> m.s.segAr[SS];
            case GUEST_DS_ACCESS_RIGHTS -> m.s.segAr[DS];
            case GUEST_FS_ACCESS_RIGHTS -> m.s.segAr[FS];
            case GUEST_GS_ACCESS_RIGHTS -> m.s.segAr[GS];
            case GUEST_LDTR_ACCESS_RIGHTS -> m.s.segAr[LDTR];
            case GUEST_TR_ACCESS_RIGHTS -> m.s.segAr[TR];
            case GUEST_INTERRUPTIBILITY_STATE -> m.s.blocking;
            case GUEST_ACTIVITY_STATE -> m.s.activity;
            case GUEST_IA32_SYSENTER_CS -> m.s.sysenterCs;
            case CR0_GUEST_HOST_MASK -> m.cr0Mask;
            case CR4_GUEST_HOST_MASK -> m.cr4Mask;
            case CR0_READ_SHADOW -> m.realMode.guestCr0();
            case CR4_READ_SHADOW -> m.realMode.guestCr4();
            case EXIT_QUALIFICATION -> m.v.exit.qualification;
            case GUEST_LINEAR_ADDRESS -> m.v.exit.gva;
            case GUEST_CR0 -> m.guestCr0();
            case GUEST_CR3 -> m.guestCr3();
            case GUEST_CR4 -> m.guestCr4();
            case GUEST_ES_BASE -> m.s.segBase[ES];
            case GUEST_CS_BASE -> m.s.segBase[CS];
            case GUEST_SS_BASE -> m.s.segBase[SS];
            case GUEST_DS_BASE -> m.s.segBase[DS];
            case GUEST_FS_BASE -> m.s.segBase[FS];
            case GUEST_GS_BASE -> m.s.segBase[GS];
            case GUEST_LDTR_BASE -> m.s.segBase[LDTR];
            case GUEST_TR_BASE -> m.s.segBase[TR];
            case GUEST_GDTR_BASE -> m.s.gdtBase;
            case GUEST_IDTR_BASE -> m.s.idtBase;
            case GUEST_DR7 -> m.s.dr[7];
            case GUEST_RSP -> m.s.gpr[RSP];
            case GUEST_RIP -> m.s.rip;
            case GUEST_RFLAGS -> m.s.rflags();
            case GUEST_PENDING_DEBUG_EXCEPTIONS -> m.s.pendingDebug;
            case GUEST_IA32_SYSENTER_ESP -> m.s.sysenterEsp;
            case GUEST_IA32_SYSENTER_EIP -> m.s.sysenterEip;
            default -> m.stored[f.ordinal()];
        };
    }

    /** Exit information is not written this way: VMWRITE refuses it (SDM 3C 25.11.2). */
    static void write(Vmcs m, VmcsField f, long x) {
        switch (f) {
            case GUEST_ES_SELECTOR -> m.s.segSel[ES] = (int) x;
            case GUEST_CS_SELECTOR -> m.s.segSel[CS] = (int) x;
            case GUEST_SS_SELECTOR -> m.s.segSel[SS] = (int) x;
            case GUEST_DS_SELECTOR -> m.s.segSel[DS] = (int) x;
            case GUEST_FS_SELECTOR -> m.s.segSel[FS] = (int) x;
            case GUEST_GS_SELECTOR -> m.s.segSel[GS] = (int) x;
            case GUEST_LDTR_SELECTOR -> m.s.segSel[LDTR] = (int) x;
            case GUEST_TR_SELECTOR -> m.s.segSel[TR] = (int) x;
            case TSC_OFFSET -> m.tscOffset = x;
            case EPT_POINTER -> m.setEptp(x);
            case GUEST_IA32_EFER -> m.s.efer = x;
            case GUEST_PDPTE0 -> m.pdptes()[0] = x;
            case GUEST_PDPTE1 -> m.pdptes()[1] = x;
            case GUEST_PDPTE2 -> m.pdptes()[2] = x;
            case GUEST_PDPTE3 -> m.pdptes()[3] = x;
            case PIN_BASED_CONTROLS -> m.pin = (int) x;
            case PRIMARY_PROCESSOR_BASED_CONTROLS -> m.setPrimary(x);
            case EXCEPTION_BITMAP -> m.exceptionBitmap = (int) x;
            case PAGE_FAULT_ERROR_CODE_MASK -> m.pageFaultMask = (int) x;
            case PAGE_FAULT_ERROR_CODE_MATCH -> m.pageFaultMatch = (int) x;
            case VM_ENTRY_CONTROLS -> m.setEntryControls(x);
            case VM_ENTRY_INTERRUPTION_INFORMATION -> m.s.injectInfo = (int) x;
            case VM_ENTRY_EXCEPTION_ERROR_CODE -> m.s.injectError = (int) x;
            case VM_ENTRY_INSTRUCTION_LENGTH -> m.s.injectLength = (int) x;
            case SECONDARY_PROCESSOR_BASED_CONTROLS -> m.secondary = (int) x;
            case GUEST_ES_LIMIT -> m.s.segLimit[ES] = x;
            case GUEST_CS_LIMIT -> m.s.segLimit[CS] = x;
            case GUEST_SS_LIMIT -> m.s.segLimit[SS] = x;
            case GUEST_DS_LIMIT -> m.s.segLimit[DS] = x;
            case GUEST_FS_LIMIT -> m.s.segLimit[FS] = x;
            case GUEST_GS_LIMIT -> m.s.segLimit[GS] = x;
            case GUEST_LDTR_LIMIT -> m.s.segLimit[LDTR] = x;
            case GUEST_TR_LIMIT -> m.s.segLimit[TR] = x;
            case GUEST_GDTR_LIMIT -> m.s.gdtLimit = (int) x;
            case GUEST_IDTR_LIMIT -> m.s.idtLimit = (int) x;
            case GUEST_ES_ACCESS_RIGHTS -> m.s.segAr[ES] = (int) x;
            case GUEST_CS_ACCESS_RIGHTS -> m.s.segAr[CS] = (int) x;
            case GUEST_SS_ACCESS_RIGHTS -> m.s.segAr[SS] = (int) x;
            case GUEST_DS_ACCESS_RIGHTS -> m.s.segAr[DS] = (int) x;
            case GUEST_FS_ACCESS_RIGHTS -> m.s.segAr[FS] = (int) x;
            case GUEST_GS_ACCESS_RIGHTS -> m.s.segAr[GS] = (int) x;
            case GUEST_LDTR_ACCESS_RIGHTS -> m.s.segAr[LDTR] = (int) x;
            case GUEST_TR_ACCESS_RIGHTS -> m.s.segAr[TR] = (int) x;
            case GUEST_INTERRUPTIBILITY_STATE -> m.s.blocking = (int) x;
            case GUEST_ACTIVITY_STATE -> m.s.activity = (int) x;
            case GUEST_IA32_SYSENTER_CS -> m.s.sysenterCs = x;
            case CR0_GUEST_HOST_MASK -> m.cr0Mask = x;
            case CR4_GUEST_HOST_MASK -> m.cr4Mask = x;
            case CR0_READ_SHADOW -> m.s.cr0 = m.s.cr0 & ~m.cr0Mask | x & m.cr0Mask;
            case CR4_READ_SHADOW -> m.s.cr4 = m.s.cr4 & ~m.cr4Mask | x & m.cr4Mask;
            case GUEST_CR0 -> m.s.cr0 = m.s.cr0 & m.cr0Mask | x & ~m.cr0Mask;
            case GUEST_CR3 -> m.setGuestCr3(x);
            case GUEST_CR4 -> m.s.cr4 = m.s.cr4 & m.cr4Mask | x & ~m.cr4Mask;
            case GUEST_ES_BASE -> m.s.segBase[ES] = x;
            case GUEST_CS_BASE -> m.s.segBase[CS] = x;
            case GUEST_SS_BASE -> m.s.segBase[SS] = x;
            case GUEST_DS_BASE -> m.s.segBase[DS] = x;
            case GUEST_FS_BASE -> m.s.segBase[FS] = x;
            case GUEST_GS_BASE -> m.s.segBase[GS] = x;
            case GUEST_LDTR_BASE -> m.s.segBase[LDTR] = x;
            case GUEST_TR_BASE -> m.s.segBase[TR] = x;
            case GUEST_GDTR_BASE -> m.s.gdtBase = x;
            case GUEST_IDTR_BASE -> m.s.idtBase = x;
            case GUEST_DR7 -> m.s.dr[7] = x;
            case GUEST_RSP -> m.s.gpr[RSP] = x;
            case GUEST_RIP -> m.s.rip = x;
            case GUEST_RFLAGS -> m.s.setRflags(x);
            case GUEST_PENDING_DEBUG_EXCEPTIONS -> m.s.pendingDebug = x;
            case GUEST_IA32_SYSENTER_ESP -> m.s.sysenterEsp = x;
            case GUEST_IA32_SYSENTER_EIP -> m.s.sysenterEip = x;
            default -> m.stored[f.ordinal()] = x;
        }
    }
}
