package org.backplane.kvm.spi.exit;

/** Basic VM exit reasons (SDM 3D appendix C). */
public final class ExitReasons {
    public static final int EXCEPTION_NMI = 0,
            EXTERNAL_INTERRUPT = 1,
            TRIPLE_FAULT = 2,
            INIT = 3,
            SIPI = 4,
            INTERRUPT_WINDOW = 7,
            NMI_WINDOW = 8,
            TASK_SWITCH = 9,
            CPUID = 10,
            HLT = 12,
            INVD = 13,
            INVLPG = 14,
            RDPMC = 15,
            RDTSC = 16,
            VMCALL = 18,
            VMCLEAR = 19,
            VMLAUNCH = 20,
            VMPTRLD = 21,
            VMPTRST = 22,
            VMREAD = 23,
            VMRESUME = 24,
            VMWRITE = 25,
            VMXOFF = 26,
            VMXON = 27,
            CR_ACCESS = 28,
            DR_ACCESS = 29,
            IO = 30,
            RDMSR = 31,
            WRMSR = 32,
            INVALID_GUEST_STATE = 33,
            MSR_LOADING = 34,
            MWAIT = 36,
            MONITOR_TRAP_FLAG = 37,
            MONITOR = 39,
            PAUSE = 40,
            MACHINE_CHECK = 41,
            TPR_BELOW_THRESHOLD = 43,
            APIC_ACCESS = 44,
            GDTR_IDTR = 46,
            LDTR_TR = 47,
            EPT_VIOLATION = 48,
            EPT_MISCONFIGURATION = 49,
            INVEPT = 50,
            PREEMPTION_TIMER = 52,
            INVVPID = 53,
            WBINVD = 54,
            XSETBV = 55;

    /** Number of reasons: valid ones are below it. */
    public static final int COUNT = 64;

    /** Bit 31: the VM entry failed. */
    public static final int ENTRY_FAILURE = 1 << 31;

    private static final String[] NAMES = new String[COUNT];

    static {
        String[] names = {
            "EXCEPTION_NMI", "EXTERNAL_INTERRUPT", "TRIPLE_FAULT", "INIT", "SIPI", null, null, "INTERRUPT_WINDOW",
            "NMI_WINDOW", "TASK_SWITCH", "CPUID", null, "HLT", "INVD", "INVLPG", "RDPMC", "RDTSC", null, "VMCALL",
            "VMCLEAR", "VMLAUNCH", "VMPTRLD", "VMPTRST", "VMREAD", "VMRESUME", "VMWRITE", "VMXOFF", "VMXON", "CR_ACCESS",
            "DR_ACCESS", "IO", "RDMSR", "WRMSR", "INVALID_GUEST_STATE", "MSR_LOADING", null, "MWAIT", "MONITOR_TRAP_FLAG",
            null, "MONITOR", "PAUSE", "MACHINE_CHECK", null, "TPR_BELOW_THRESHOLD", "APIC_ACCESS", null, "GDTR_IDTR",
            "LDTR_TR", "EPT_VIOLATION", "EPT_MISCONFIGURATION", "INVEPT", null, "PREEMPTION_TIMER", "INVVPID", "WBINVD",
            "XSETBV"
        };
        System.arraycopy(names, 0, NAMES, 0, names.length);
    }

    private ExitReasons() {}

    /** The name of a basic exit reason (bit 31 is ignored), or {@code REASON_n}. */
    public static String name(int reason) {
        int basic = reason & 0xffff;
        String name = basic < COUNT ? NAMES[basic] : null;
        return name != null ? name : "REASON_" + basic;
    }
}
