package org.backplane.vmx;

/**
 * The rules of VM entry that this processor checks, by section of SDM 3C. What a rule's failure means follows from the section: 26.2.1 is
 * VM-instruction error 7, 26.2.2 to 26.2.4 error 8, 26.3 is exit reason 33.
 *
 * <p>Not here, because no state can break them: rules about controls that this processor does not have (their bits are reserved); CR0.NE and
 * CR4.VMXE of the guest, which are forced on; EFER.LMA against "IA-32e mode guest", which are one bit in {@code CpuState}; rules for a host that is
 * not in 64-bit mode.
 */
enum EntryRule {
    // VM-execution controls
    PIN_RESERVED("26.2.1.1", "reserved bits of the pin-based controls"),
    PRIMARY_RESERVED("26.2.1.1", "reserved bits of the primary processor-based controls"),
    SECONDARY_RESERVED("26.2.1.1", "reserved bits of the secondary processor-based controls"),
    CR3_TARGETS("26.2.1.1", "the CR3-target count is at most 4"),
    IO_BITMAP_ADDRESS("26.2.1.1", "I/O bitmaps are page-aligned and within the physical-address width"),
    MSR_BITMAP_ADDRESS("26.2.1.1", "MSR bitmaps are page-aligned and within the physical-address width"),
    VIRTUAL_APIC_ADDRESS("26.2.1.1", "the virtual-APIC page is page-aligned and within the physical-address width"),
    TPR_THRESHOLD_RESERVED("26.2.1.1", "bits 31:4 of the TPR threshold are 0"),
    TPR_THRESHOLD_VTPR("26.2.1.1", "the TPR threshold is at most bits 7:4 of VTPR unless APIC accesses are virtualized"),
    VIRTUAL_NMIS("26.2.1.1", "virtual NMIs need NMI exiting"),
    NMI_WINDOW("26.2.1.1", "NMI-window exiting needs virtual NMIs"),
    APIC_ACCESS_ADDRESS("26.2.1.1", "the APIC-access page is page-aligned and within the physical-address width"),
    VPID_ZERO("26.2.1.1", "the VPID is not 0"),
    EPTP_MEMORY_TYPE("26.2.1.1", "the memory type of EPTP is uncacheable or write-back"),
    EPTP_WALK_LENGTH("26.2.1.1", "the page-walk length of EPTP is 4"),
    EPTP_RESERVED("26.2.1.1", "reserved bits of EPTP, and its address within the physical-address width"),
    UNRESTRICTED_EPT("26.2.1.1", "unrestricted guest needs EPT"),

    // VM-exit controls
    EXIT_RESERVED("26.2.1.2", "reserved bits of the VM-exit controls"),
    SAVE_TIMER("26.2.1.2", "saving the VMX-preemption timer needs the timer to be active"),
    EXIT_STORE_AREA("26.2.1.2", "the VM-exit MSR-store area is 16-byte aligned and within the physical-address width"),
    EXIT_LOAD_AREA("26.2.1.2", "the VM-exit MSR-load area is 16-byte aligned and within the physical-address width"),

    // VM-entry controls
    ENTRY_RESERVED("26.2.1.3", "reserved bits of the VM-entry controls"),
    EVENT_TYPE("26.2.1.3", "the interruption type is not reserved"),
    EVENT_NMI_VECTOR("26.2.1.3", "the vector of an NMI is 2"),
    EVENT_EXCEPTION_VECTOR("26.2.1.3", "the vector of a hardware exception is at most 31"),
    EVENT_OTHER_VECTOR("26.2.1.3", "the vector of another event (a pending monitor trap) is 0"),
    EVENT_ERROR_CODE("26.2.1.3", "an error code exactly where the exception has one"),
    EVENT_RESERVED("26.2.1.3", "reserved bits of the interruption information"),
    EVENT_ERROR_RESERVED("26.2.1.3", "bits 31:15 of the error code are 0"),
    EVENT_LENGTH("26.2.1.3", "the instruction length of a software event is 1 to 15"),
    ENTRY_LOAD_AREA("26.2.1.3", "the VM-entry MSR-load area is 16-byte aligned and within the physical-address width"),

    // host state
    HOST_CR0("26.2.2", "fixed bits of the host's CR0"),
    HOST_CR4("26.2.2", "fixed bits of the host's CR4"),
    HOST_CR3("26.2.2", "the host's CR3 is within the physical-address width"),
    HOST_SYSENTER("26.2.2", "the host's IA32_SYSENTER_ESP and _EIP are canonical"),
    HOST_PAT("26.2.2", "memory types of the host's IA32_PAT"),
    HOST_EFER("26.2.2", "reserved bits of the host's IA32_EFER; LMA and LME are the host address-space size"),
    HOST_RPL_TI("26.2.3", "RPL and TI of host selectors are 0"),
    HOST_CS("26.2.3", "the host's CS selector is not 0"),
    HOST_TR("26.2.3", "the host's TR selector is not 0"),
    HOST_BASE("26.2.3", "the host's FS, GS, GDTR, IDTR and TR bases are canonical"),
    HOST_SIZE("26.2.4", "the host address-space size is 1 in IA-32e mode"),
    HOST_PAE("26.2.4", "the host's CR4.PAE is 1 in 64-bit mode"),
    HOST_RIP("26.2.4", "the host's RIP is canonical"),

    // guest control registers, debug registers and MSRs
    CR0_FIXED("26.3.1.1", "bits 63:32 of CR0 are 0"),
    CR0_PE_RESTRICTED("26.3.1.1", "CR0.PE is 1 unless the guest is unrestricted"),
    CR0_PG_PE("26.3.1.1", "CR0.PG needs CR0.PE"),
    CR4_FIXED("26.3.1.1", "reserved bits of CR4"),
    CR0_PG_IA32E("26.3.1.1", "IA-32e mode needs CR0.PG"),
    CR4_PAE_IA32E("26.3.1.1", "IA-32e mode needs CR4.PAE"),
    PCIDE_IA32E("26.3.1.1", "CR4.PCIDE only in IA-32e mode"),
    CR3_RESERVED("26.3.1.1", "CR3 is within the physical-address width"),
    DEBUGCTL_RESERVED("26.3.1.1", "reserved bits of IA32_DEBUGCTL"),
    DR7_HIGH("26.3.1.1", "bits 63:32 of DR7 are 0"),
    SYSENTER_CANONICAL("26.3.1.1", "IA32_SYSENTER_ESP and _EIP are canonical"),
    GUEST_PAT("26.3.1.1", "memory types of IA32_PAT"),
    EFER_RESERVED("26.3.1.1", "reserved bits of IA32_EFER"),
    EFER_LMA_LME("26.3.1.1", "EFER.LMA is EFER.LME when paging is on"),

    // guest segments
    SELECTOR_TI("26.3.1.2", "TI of TR, and of LDTR if usable, is 0"),
    SELECTOR_RPL("26.3.1.2", "SS.RPL is CS.RPL unless the guest is unrestricted"),
    VM86_BASE("26.3.1.2", "virtual-8086: base is selector * 16"),
    VM86_LIMIT("26.3.1.2", "virtual-8086: limit is 0xFFFF"),
    VM86_RIGHTS("26.3.1.2", "virtual-8086: access rights are 0xF3"),
    BASE_HIGH("26.3.1.2", "bits 63:32 of the bases of CS, SS, DS, ES are 0"),
    BASE_CANONICAL("26.3.1.2", "the bases of TR, FS, GS, LDTR are canonical"),
    CS_TYPE("26.3.1.2", "CS.type is 9, 11, 13, 15, or 3 for an unrestricted guest"),
    SS_TYPE("26.3.1.2", "SS.type is 3 or 7"),
    DATA_TYPE("26.3.1.2", "DS, ES, FS, GS are accessed, and readable if code"),
    SEGMENT_S("26.3.1.2", "S is 1 for code and data"),
    CS_DPL("26.3.1.2", "CS.DPL fits SS.DPL"),
    SS_DPL_RPL("26.3.1.2", "SS.DPL is SS.RPL unless the guest is unrestricted"),
    SS_DPL_REAL("26.3.1.2", "SS.DPL is 0 in real mode and with CS.type 3"),
    DATA_DPL("26.3.1.2", "DPL of DS, ES, FS, GS is at least RPL unless the guest is unrestricted"),
    SEGMENT_P("26.3.1.2", "P is 1 for usable segments"),
    SEGMENT_RESERVED("26.3.1.2", "reserved bits of access rights are 0"),
    CS_L_D("26.3.1.2", "CS.D is 0 in 64-bit mode"),
    SEGMENT_G("26.3.1.2", "G fits the limit"),
    TR_TYPE("26.3.1.2", "TR.type is 11, or 3 outside of IA-32e mode"),
    TR_RIGHTS("26.3.1.2", "TR: S is 0, P is 1, usable, reserved bits 0"),
    LDTR_RIGHTS("26.3.1.2", "LDTR: type 2, S is 0, P is 1, reserved bits 0"),
    TABLE_LIMIT("26.3.1.3", "bits 31:16 of GDTR and IDTR limits are 0"),
    TABLE_CANONICAL("26.3.1.3", "GDTR and IDTR bases are canonical"),

    // guest RIP and RFLAGS
    RIP_HIGH("26.3.1.4", "bits 63:32 of RIP are 0 outside of 64-bit mode"),
    RIP_CANONICAL("26.3.1.4", "RIP is canonical"),
    RFLAGS_RESERVED("26.3.1.4", "reserved bits of RFLAGS"),
    RFLAGS_VM("26.3.1.4", "RFLAGS.VM is 0 in real and IA-32e mode"),
    RFLAGS_IF("26.3.1.4", "RFLAGS.IF is 1 when an external interrupt is injected"),

    // guest non-register state
    ACTIVITY("26.3.1.5", "the activity state is 0 to 3"),
    HLT_DPL("26.3.1.5", "HLT state only with SS.DPL 0"),
    ACTIVE_BLOCKING("26.3.1.5", "active state under blocking by STI or MOV SS"),
    ACTIVITY_INJECTION("26.3.1.5", "the activity state takes the injected event"),
    BLOCKING_RESERVED("26.3.1.5", "reserved bits of the interruptibility state"),
    BLOCKING_BOTH("26.3.1.5", "blocking by STI and by MOV SS exclude each other"),
    BLOCKING_STI_IF("26.3.1.5", "blocking by STI needs RFLAGS.IF"),
    BLOCKING_EXTERNAL("26.3.1.5", "no blocking when an external interrupt is injected"),
    BLOCKING_MOV_SS_NMI("26.3.1.5", "no blocking by MOV SS when an NMI is injected"),
    BLOCKING_SMI_OUTSIDE("26.3.1.5", "no blocking by SMI outside of system-management mode"),
    BLOCKING_NMI_INJECTION("26.3.1.5", "no blocking by NMI when an NMI is injected, with virtual NMIs"),
    PENDING_RESERVED("26.3.1.5", "reserved bits of the pending debug exceptions"),
    PENDING_BS("26.3.1.5", "pending single step is RFLAGS.TF without DEBUGCTL.BTF, under blocking by STI or MOV SS or in HLT state"),
    LINK_POINTER("26.3.1.5", "the VMCS link pointer is all ones, or names a VMCS region"),

    // guest PDPTEs
    PDPTE("26.3.1.6", "reserved bits of a present PDPTE");

    /** Values of {@link #error}. */
    static final int EXIT = 0;

    private final String section;
    private final String name;

    EntryRule(String section, String text) {
        this.section = section;
        this.name = "SDM " + section + ": " + text;
    }

    /** Section of SDM 3C. */
    String section() {
        return section;
    }

    /** The VM-instruction error of a failure, or {@link #EXIT} for exit reason 33. */
    int error() {
        if (section.startsWith("26.3")) return EXIT;
        return section.startsWith("26.2.1") ? VmFailException.BAD_CONTROLS : VmFailException.BAD_HOST_STATE;
    }

    /** Exit qualification of exit reason 33 (SDM 3C 26.8). */
    int qualification() {
        return this == PDPTE ? 2 : this == LINK_POINTER ? 4 : 0;
    }

    /** Section and rule, for people. */
    @Override
    public String toString() {
        return name;
    }
}
