package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.HashMap;
import java.util.Map;

/**
 * The fields of a VMCS with their encodings and names (SDM 3D appendix B), in the order of the encodings.
 *
 * <p>Guest-state fields, exit information and the event-injection fields are <em>views</em>: they read and write the vCPU's
 * {@code CpuState} and {@code VmExit}, where the values live. Controls that are tested on hot paths are fields of {@link Vmcs}. All others
 * are stored.
 *
 * <p>An encoding tells the field's width in bits 14:13 (16, 64, 32, natural), its kind in bits 11:10 (control, exit information, guest,
 * host); bit 0 set means the high half of a 64-bit field.
 */
enum VmcsField {
    VIRTUAL_PROCESSOR_IDENTIFIER(0x0000),
    GUEST_ES_SELECTOR(0x0800, m -> m.s.segSel[ES], (m, x) -> m.s.segSel[ES] = (int) x),
    GUEST_CS_SELECTOR(0x0802, m -> m.s.segSel[CS], (m, x) -> m.s.segSel[CS] = (int) x),
    GUEST_SS_SELECTOR(0x0804, m -> m.s.segSel[SS], (m, x) -> m.s.segSel[SS] = (int) x),
    GUEST_DS_SELECTOR(0x0806, m -> m.s.segSel[DS], (m, x) -> m.s.segSel[DS] = (int) x),
    GUEST_FS_SELECTOR(0x0808, m -> m.s.segSel[FS], (m, x) -> m.s.segSel[FS] = (int) x),
    GUEST_GS_SELECTOR(0x080a, m -> m.s.segSel[GS], (m, x) -> m.s.segSel[GS] = (int) x),
    GUEST_LDTR_SELECTOR(0x080c, m -> m.s.segSel[LDTR], (m, x) -> m.s.segSel[LDTR] = (int) x),
    GUEST_TR_SELECTOR(0x080e, m -> m.s.segSel[TR], (m, x) -> m.s.segSel[TR] = (int) x),
    HOST_ES_SELECTOR(0x0c00),
    HOST_CS_SELECTOR(0x0c02),
    HOST_SS_SELECTOR(0x0c04),
    HOST_DS_SELECTOR(0x0c06),
    HOST_FS_SELECTOR(0x0c08),
    HOST_GS_SELECTOR(0x0c0a),
    HOST_TR_SELECTOR(0x0c0c),
    IO_BITMAP_A(0x2000),
    IO_BITMAP_B(0x2002),
    MSR_BITMAPS(0x2004),
    VM_EXIT_MSR_STORE_ADDRESS(0x2006),
    VM_EXIT_MSR_LOAD_ADDRESS(0x2008),
    VM_ENTRY_MSR_LOAD_ADDRESS(0x200a),
    EXECUTIVE_VMCS_POINTER(0x200c),
    TSC_OFFSET(0x2010, m -> m.tscOffset, (m, x) -> m.tscOffset = x),
    VIRTUAL_APIC_ADDRESS(0x2012),
    APIC_ACCESS_ADDRESS(0x2014),
    EPT_POINTER(0x201a, Vmcs::eptp, Vmcs::setEptp),
    GUEST_PHYSICAL_ADDRESS(0x2400, m -> m.v.exit.gpa, null),
    VMCS_LINK_POINTER(0x2800),
    GUEST_IA32_DEBUGCTL(0x2802),
    GUEST_IA32_PAT(0x2804),
    GUEST_IA32_EFER(0x2806, m -> m.s.efer, (m, x) -> m.s.efer = x),
    GUEST_PDPTE0(0x280a, m -> m.pdptes()[0], (m, x) -> m.pdptes()[0] = x),
    GUEST_PDPTE1(0x280c, m -> m.pdptes()[1], (m, x) -> m.pdptes()[1] = x),
    GUEST_PDPTE2(0x280e, m -> m.pdptes()[2], (m, x) -> m.pdptes()[2] = x),
    GUEST_PDPTE3(0x2810, m -> m.pdptes()[3], (m, x) -> m.pdptes()[3] = x),
    HOST_IA32_PAT(0x2c00),
    HOST_IA32_EFER(0x2c02),
    PIN_BASED_CONTROLS(0x4000, m -> m.pin, (m, x) -> m.pin = (int) x),
    PRIMARY_PROCESSOR_BASED_CONTROLS(0x4002, Vmcs::primaryWithWindows, Vmcs::setPrimary),
    EXCEPTION_BITMAP(0x4004, Vmcs::exceptionBitmap, (m, x) -> m.exceptionBitmap = (int) x),
    PAGE_FAULT_ERROR_CODE_MASK(0x4006, m -> m.pageFaultMask, (m, x) -> m.pageFaultMask = (int) x),
    PAGE_FAULT_ERROR_CODE_MATCH(0x4008, m -> m.pageFaultMatch, (m, x) -> m.pageFaultMatch = (int) x),
    CR3_TARGET_COUNT(0x400a),
    VM_EXIT_CONTROLS(0x400c),
    VM_EXIT_MSR_STORE_COUNT(0x400e),
    VM_EXIT_MSR_LOAD_COUNT(0x4010),
    VM_ENTRY_CONTROLS(0x4012, Vmcs::entryControls, Vmcs::setEntryControls),
    VM_ENTRY_MSR_LOAD_COUNT(0x4014),
    VM_ENTRY_INTERRUPTION_INFORMATION(0x4016, m -> m.s.injectInfo, (m, x) -> m.s.injectInfo = (int) x),
    VM_ENTRY_EXCEPTION_ERROR_CODE(0x4018, m -> m.s.injectError, (m, x) -> m.s.injectError = (int) x),
    VM_ENTRY_INSTRUCTION_LENGTH(0x401a, m -> m.s.injectLength, (m, x) -> m.s.injectLength = (int) x),
    TPR_THRESHOLD(0x401c),
    SECONDARY_PROCESSOR_BASED_CONTROLS(0x401e, m -> m.secondary, (m, x) -> m.secondary = (int) x),
    VM_INSTRUCTION_ERROR(0x4400, m -> m.v.exit.instructionError, null),
    EXIT_REASON(0x4402, m -> m.v.exit.reason, null),
    VM_EXIT_INTERRUPTION_INFORMATION(0x4404, m -> m.v.exit.interruptionInfo, null),
    VM_EXIT_INTERRUPTION_ERROR_CODE(0x4406, m -> m.v.exit.interruptionError, null),
    IDT_VECTORING_INFORMATION(0x4408, m -> m.s.vectoringInfo, null),
    IDT_VECTORING_ERROR_CODE(0x440a, m -> m.s.vectoringError, null),
    VM_EXIT_INSTRUCTION_LENGTH(0x440c, m -> m.v.exit.insnLength, null),
    VM_EXIT_INSTRUCTION_INFORMATION(0x440e, m -> m.v.exit.instructionInformation, null),
    GUEST_ES_LIMIT(0x4800, m -> m.s.segLimit[ES], (m, x) -> m.s.segLimit[ES] = x),
    GUEST_CS_LIMIT(0x4802, m -> m.s.segLimit[CS], (m, x) -> m.s.segLimit[CS] = x),
    GUEST_SS_LIMIT(0x4804, m -> m.s.segLimit[SS], (m, x) -> m.s.segLimit[SS] = x),
    GUEST_DS_LIMIT(0x4806, m -> m.s.segLimit[DS], (m, x) -> m.s.segLimit[DS] = x),
    GUEST_FS_LIMIT(0x4808, m -> m.s.segLimit[FS], (m, x) -> m.s.segLimit[FS] = x),
    GUEST_GS_LIMIT(0x480a, m -> m.s.segLimit[GS], (m, x) -> m.s.segLimit[GS] = x),
    GUEST_LDTR_LIMIT(0x480c, m -> m.s.segLimit[LDTR], (m, x) -> m.s.segLimit[LDTR] = x),
    GUEST_TR_LIMIT(0x480e, m -> m.s.segLimit[TR], (m, x) -> m.s.segLimit[TR] = x),
    GUEST_GDTR_LIMIT(0x4810, m -> m.s.gdtLimit, (m, x) -> m.s.gdtLimit = (int) x),
    GUEST_IDTR_LIMIT(0x4812, m -> m.s.idtLimit, (m, x) -> m.s.idtLimit = (int) x),
    GUEST_ES_ACCESS_RIGHTS(0x4814, m -> m.s.segAr[ES], (m, x) -> m.s.segAr[ES] = (int) x),
    GUEST_CS_ACCESS_RIGHTS(0x4816, m -> m.s.segAr[CS], (m, x) -> m.s.segAr[CS] = (int) x),
    GUEST_SS_ACCESS_RIGHTS(0x4818, m -> m.s.segAr[SS], (m, x) -> m.s.segAr[SS] = (int) x),
    GUEST_DS_ACCESS_RIGHTS(0x481a, m -> m.s.segAr[DS], (m, x) -> m.s.segAr[DS] = (int) x),
    GUEST_FS_ACCESS_RIGHTS(0x481c, m -> m.s.segAr[FS], (m, x) -> m.s.segAr[FS] = (int) x),
    GUEST_GS_ACCESS_RIGHTS(0x481e, m -> m.s.segAr[GS], (m, x) -> m.s.segAr[GS] = (int) x),
    GUEST_LDTR_ACCESS_RIGHTS(0x4820, m -> m.s.segAr[LDTR], (m, x) -> m.s.segAr[LDTR] = (int) x),
    GUEST_TR_ACCESS_RIGHTS(0x4822, m -> m.s.segAr[TR], (m, x) -> m.s.segAr[TR] = (int) x),
    GUEST_INTERRUPTIBILITY_STATE(0x4824, m -> m.s.blocking, (m, x) -> m.s.blocking = (int) x),
    GUEST_ACTIVITY_STATE(0x4826, m -> m.s.activity, (m, x) -> m.s.activity = (int) x),
    GUEST_SMBASE(0x4828),
    GUEST_IA32_SYSENTER_CS(0x482a, m -> m.s.sysenterCs, (m, x) -> m.s.sysenterCs = x),
    VMX_PREEMPTION_TIMER_VALUE(0x482e),
    HOST_IA32_SYSENTER_CS(0x4c00),
    CR0_GUEST_HOST_MASK(0x6000, m -> m.cr0Mask, (m, x) -> m.cr0Mask = x),
    CR4_GUEST_HOST_MASK(0x6002, m -> m.cr4Mask, (m, x) -> m.cr4Mask = x),
    CR0_READ_SHADOW(0x6004, m -> m.realMode.guestCr0(), (m, x) -> m.s.cr0 = m.s.cr0 & ~m.cr0Mask | x & m.cr0Mask),
    CR4_READ_SHADOW(0x6006, m -> m.realMode.guestCr4(), (m, x) -> m.s.cr4 = m.s.cr4 & ~m.cr4Mask | x & m.cr4Mask),
    CR3_TARGET_VALUE0(0x6008),
    CR3_TARGET_VALUE1(0x600a),
    CR3_TARGET_VALUE2(0x600c),
    CR3_TARGET_VALUE3(0x600e),
    EXIT_QUALIFICATION(0x6400, m -> m.v.exit.qualification, null),
    GUEST_LINEAR_ADDRESS(0x640a, m -> m.v.exit.gva, null),
    GUEST_CR0(0x6800, Vmcs::guestCr0, (m, x) -> m.s.cr0 = m.s.cr0 & m.cr0Mask | x & ~m.cr0Mask),
    GUEST_CR3(0x6802, Vmcs::guestCr3, Vmcs::setGuestCr3),
    GUEST_CR4(0x6804, Vmcs::guestCr4, (m, x) -> m.s.cr4 = m.s.cr4 & m.cr4Mask | x & ~m.cr4Mask),
    GUEST_ES_BASE(0x6806, m -> m.s.segBase[ES], (m, x) -> m.s.segBase[ES] = x),
    GUEST_CS_BASE(0x6808, m -> m.s.segBase[CS], (m, x) -> m.s.segBase[CS] = x),
    GUEST_SS_BASE(0x680a, m -> m.s.segBase[SS], (m, x) -> m.s.segBase[SS] = x),
    GUEST_DS_BASE(0x680c, m -> m.s.segBase[DS], (m, x) -> m.s.segBase[DS] = x),
    GUEST_FS_BASE(0x680e, m -> m.s.segBase[FS], (m, x) -> m.s.segBase[FS] = x),
    GUEST_GS_BASE(0x6810, m -> m.s.segBase[GS], (m, x) -> m.s.segBase[GS] = x),
    GUEST_LDTR_BASE(0x6812, m -> m.s.segBase[LDTR], (m, x) -> m.s.segBase[LDTR] = x),
    GUEST_TR_BASE(0x6814, m -> m.s.segBase[TR], (m, x) -> m.s.segBase[TR] = x),
    GUEST_GDTR_BASE(0x6816, m -> m.s.gdtBase, (m, x) -> m.s.gdtBase = x),
    GUEST_IDTR_BASE(0x6818, m -> m.s.idtBase, (m, x) -> m.s.idtBase = x),
    GUEST_DR7(0x681a, m -> m.s.dr[7], (m, x) -> m.s.dr[7] = x),
    GUEST_RSP(0x681c, m -> m.s.gpr[RSP], (m, x) -> m.s.gpr[RSP] = x),
    GUEST_RIP(0x681e, m -> m.s.rip, (m, x) -> m.s.rip = x),
    GUEST_RFLAGS(0x6820, m -> m.s.rflags(), (m, x) -> m.s.setRflags(x)),
    GUEST_PENDING_DEBUG_EXCEPTIONS(0x6822, m -> m.s.pendingDebug, (m, x) -> m.s.pendingDebug = x),
    GUEST_IA32_SYSENTER_ESP(0x6824, m -> m.s.sysenterEsp, (m, x) -> m.s.sysenterEsp = x),
    GUEST_IA32_SYSENTER_EIP(0x6826, m -> m.s.sysenterEip, (m, x) -> m.s.sysenterEip = x),
    HOST_CR0(0x6c00),
    HOST_CR3(0x6c02),
    HOST_CR4(0x6c04),
    HOST_FS_BASE(0x6c06),
    HOST_GS_BASE(0x6c08),
    HOST_TR_BASE(0x6c0a),
    HOST_GDTR_BASE(0x6c0c),
    HOST_IDTR_BASE(0x6c0e),
    HOST_IA32_SYSENTER_ESP(0x6c10),
    HOST_IA32_SYSENTER_EIP(0x6c12),
    HOST_RSP(0x6c14),
    HOST_RIP(0x6c16);

    /** Reads a view. */
    interface Getter {
        long get(Vmcs m);
    }

    /** Writes a view. */
    interface Setter {
        void set(Vmcs m, long value);
    }

    private static final Map<Integer, VmcsField> BY_ENCODING = new HashMap<>();

    static {
        for (VmcsField f : values()) BY_ENCODING.put(f.encoding, f);
    }

    final int encoding;
    private final Getter getter;
    private final Setter setter;

    VmcsField(int encoding) {
        this.encoding = encoding;
        getter = m -> m.stored[ordinal()];
        setter = (m, x) -> m.stored[ordinal()] = x;
    }

    VmcsField(int encoding, Getter getter, Setter setter) {
        this.encoding = encoding;
        this.getter = getter;
        this.setter = setter;
    }

    /** The field of an encoding whose bit 0 is 0, or null. */
    static VmcsField of(int encoding) {
        return BY_ENCODING.get(encoding);
    }

    /** Width in bits: 16, 32 or 64 (natural width is 64 here). */
    int width() {
        return switch (encoding >> 13 & 3) {
            case 0 -> 16;
            case 2 -> 32;
            default -> 64;
        };
    }

    /** A 64-bit field has a high half with an encoding of its own. */
    boolean hasHighHalf() {
        return (encoding >> 13 & 3) == 1;
    }

    /** Exit information cannot be written. */
    boolean readOnly() {
        return (encoding >> 10 & 3) == 1;
    }

    /** The value, zero-extended from the field's width. */
    long get(Vmcs m) {
        return getter.get(m) & -1L >>> 64 - width();
    }

    /** Writes what fits the field's width. */
    void set(Vmcs m, long value) {
        setter.set(m, value & -1L >>> 64 - width());
    }
}
