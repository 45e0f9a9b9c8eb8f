package org.backplane.vmx;

/**
 * Bits of the VM-execution, VM-exit and VM-entry controls (SDM 3C 24.6 to 24.8), and which settings this processor takes: the
 * content of its capability MSRs (SDM 3D appendix A). A bit that is reserved with value 1 ("default1") is in {@code ..._MUST},
 * one that may be 1 is in {@code ..._MAY}.
 *
 * <p>Not offered: acknowledging interrupts on exit, because a host's interrupts have no vectors here; x2APIC and posted interrupts; whatever needs
 * instructions that the engine has not.
 */
final class Controls {
    // Pin-based
    static final int PIN_EXTERNAL_INTERRUPT = 1, PIN_NMI = 1 << 3, PIN_VIRTUAL_NMI = 1 << 5, PIN_PREEMPTION_TIMER = 1 << 6;

    static final int PIN_MUST = 0x16;
    static final int PIN_MAY = PIN_MUST | PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI | PIN_PREEMPTION_TIMER;

    // Primary processor-based
    static final int INTERRUPT_WINDOW = 1 << 2,
            TSC_OFFSETTING = 1 << 3,
            HLT_EXITING = 1 << 7,
            INVLPG_EXITING = 1 << 9,
            MWAIT_EXITING = 1 << 10,
            RDPMC_EXITING = 1 << 11,
            RDTSC_EXITING = 1 << 12,
            CR3_LOAD = 1 << 15,
            CR3_STORE = 1 << 16,
            CR8_LOAD = 1 << 19,
            CR8_STORE = 1 << 20,
            TPR_SHADOW = 1 << 21,
            NMI_WINDOW = 1 << 22,
            MOV_DR = 1 << 23,
            UNCONDITIONAL_IO = 1 << 24,
            IO_BITMAPS = 1 << 25,
            MONITOR_TRAP_FLAG = 1 << 27,
            MSR_BITMAPS = 1 << 28,
            MONITOR_EXITING = 1 << 29,
            PAUSE_EXITING = 1 << 30,
            SECONDARY = 1 << 31;

    static final int PRIMARY_MUST = 0x04006172;
    static final int PRIMARY_MAY = PRIMARY_MUST
            | INTERRUPT_WINDOW
            | TSC_OFFSETTING
            | HLT_EXITING
            | INVLPG_EXITING
            | MWAIT_EXITING
            | RDPMC_EXITING
            | RDTSC_EXITING
            | CR3_LOAD
            | CR3_STORE
            | CR8_LOAD
            | CR8_STORE
            | TPR_SHADOW
            | NMI_WINDOW
            | MOV_DR
            | UNCONDITIONAL_IO
            | IO_BITMAPS
            | MONITOR_TRAP_FLAG
            | MSR_BITMAPS
            | MONITOR_EXITING
            | PAUSE_EXITING
            | SECONDARY;

    // Secondary processor-based
    static final int VIRTUALIZE_APIC = 1,
            EPT = 1 << 1,
            DESCRIPTOR_TABLE = 1 << 2,
            VPID = 1 << 5,
            WBINVD_EXITING = 1 << 6,
            UNRESTRICTED_GUEST = 1 << 7;

    static final int SECONDARY_MUST = 0;
    static final int SECONDARY_MAY = VIRTUALIZE_APIC | EPT | DESCRIPTOR_TABLE | VPID | WBINVD_EXITING | UNRESTRICTED_GUEST;

    // VM-exit and VM-entry; both have the debug controls in their default1 bits.
    static final int EXIT_HOST_64 = 1 << 9,
            EXIT_SAVE_PAT = 1 << 18,
            EXIT_LOAD_PAT = 1 << 19,
            EXIT_SAVE_EFER = 1 << 20,
            EXIT_LOAD_EFER = 1 << 21,
            EXIT_SAVE_TIMER = 1 << 22;

    static final int EXIT_MUST = 0x00036dff;
    static final int EXIT_MAY =
            EXIT_MUST | EXIT_HOST_64 | EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_TIMER;

    static final int ENTRY_IA32E = 1 << 9, ENTRY_LOAD_PAT = 1 << 14, ENTRY_LOAD_EFER = 1 << 15;

    static final int ENTRY_MUST = 0x000011ff;
    static final int ENTRY_MAY = ENTRY_MUST | ENTRY_IA32E | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER;

    /** CR3-target values that the processor has. */
    static final int CR3_TARGETS = 4;

    /** The VMX-preemption timer counts down once every 2^5 cycles of the TSC (IA32_VMX_MISC bits 4:0). */
    static final int TIMER_SHIFT = 5;

    private Controls() {}

    /** May a control word have this value? */
    static boolean valid(int word, int must, int may) {
        return (word & must) == must && (word & ~may) == 0;
    }
}
