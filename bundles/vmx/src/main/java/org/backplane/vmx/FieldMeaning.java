package org.backplane.vmx;

import java.util.StringJoiner;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.exit.ExitReasons;

/** What the value of a VMCS field means, in words, for people. */
final class FieldMeaning {
    private static final String[] PIN = bits("0 EXTERNAL_INTERRUPT, 3 NMI, 5 VIRTUAL_NMI, 6 PREEMPTION_TIMER");

    private static final String[] PRIMARY = bits("2 INTERRUPT_WINDOW, 3 TSC_OFFSETTING, 7 HLT, 9 INVLPG, 10 MWAIT, 11 RDPMC, 12 RDTSC,"
            + " 15 CR3_LOAD, 16 CR3_STORE, 19 CR8_LOAD, 20 CR8_STORE, 21 TPR_SHADOW, 22 NMI_WINDOW, 23 MOV_DR, 24 UNCONDITIONAL_IO,"
            + " 25 IO_BITMAPS, 27 MONITOR_TRAP, 28 MSR_BITMAPS, 29 MONITOR, 30 PAUSE, 31 SECONDARY");

    private static final String[] SECONDARY =
            bits("0 VIRTUALIZE_APIC, 1 EPT, 2 DESCRIPTOR_TABLE, 5 VPID, 6 WBINVD, 7 UNRESTRICTED_GUEST");

    private static final String[] EXIT =
            bits("2 SAVE_DEBUG, 9 HOST_64, 18 SAVE_PAT, 19 LOAD_PAT, 20 SAVE_EFER, 21 LOAD_EFER, 22 SAVE_TIMER");

    private static final String[] ENTRY = bits("2 LOAD_DEBUG, 9 IA32E, 14 LOAD_PAT, 15 LOAD_EFER");
    private static final String[] BLOCKING = bits("0 STI, 1 MOV_SS, 2 SMI, 3 NMI");
    private static final String[] PENDING = bits("0 B0, 1 B1, 2 B2, 3 B3, 12 ENABLED, 14 BS");

    private static final String[] CR0 =
            bits("0 PE, 1 MP, 2 EM, 3 TS, 4 ET, 5 NE, 16 WP, 18 AM, 29 NW, 30 CD, 31 PG");

    private static final String[] CR4 = bits("0 VME, 1 PVI, 2 TSD, 3 DE, 4 PSE, 5 PAE, 6 MCE, 7 PGE, 8 PCE, 9 OSFXSR, 10 OSXMMEXCPT,"
            + " 11 UMIP, 13 VMXE, 17 PCIDE, 18 OSXSAVE, 20 SMEP, 21 SMAP");

    private static final String[] EFER = bits("0 SCE, 8 LME, 10 LMA, 11 NX");

    private static final String[] RFLAGS = bits("0 CF, 2 PF, 4 AF, 6 ZF, 7 SF, 8 TF, 9 IF, 10 DF, 11 OF, 14 NT, 16 RF, 17 VM, 18 AC,"
            + " 19 VIF, 20 VIP, 21 ID");

    private static final String[] RIGHTS = bits("4 S, 7 P, 12 AVL, 13 L, 14 DB, 15 G, 16 UNUSABLE");
    private static final String[] ACTIVITY = {"ACTIVE", "HLT", "SHUTDOWN", "WAIT_FOR_SIPI"};

    private static final String[] EVENT_TYPES = {
        "EXTERNAL_INTERRUPT", "RESERVED", "NMI", "HARDWARE_EXCEPTION", "SOFTWARE_INTERRUPT", "PRIVILEGED_SOFTWARE_EXCEPTION",
        "SOFTWARE_EXCEPTION", "OTHER"
    };

    private FieldMeaning() {}

    private static String[] bits(String list) {
        String[] names = new String[32];
        for (String one : list.split(",")) {
            String[] bitAndName = one.trim().split(" ");
            names[Integer.parseInt(bitAndName[0])] = bitAndName[1];
        }
        return names;
    }

    /** Names of the bits that are set, or of the value; empty for addresses, selectors and other plain numbers. */
    static String of(VmcsField f, long value) {
        return switch (f) {
            case PIN_BASED_CONTROLS -> names(PIN, value);
            case PRIMARY_PROCESSOR_BASED_CONTROLS -> names(PRIMARY, value);
            case SECONDARY_PROCESSOR_BASED_CONTROLS -> names(SECONDARY, value);
            case VM_EXIT_CONTROLS -> names(EXIT, value);
            case VM_ENTRY_CONTROLS -> names(ENTRY, value);
            case GUEST_INTERRUPTIBILITY_STATE -> names(BLOCKING, value);
            case GUEST_PENDING_DEBUG_EXCEPTIONS -> names(PENDING, value);
            case GUEST_ACTIVITY_STATE -> value < ACTIVITY.length ? ACTIVITY[(int) value] : "RESERVED";
            case GUEST_CR0, HOST_CR0, CR0_READ_SHADOW, CR0_GUEST_HOST_MASK -> names(CR0, value);
            case GUEST_CR4, HOST_CR4, CR4_READ_SHADOW, CR4_GUEST_HOST_MASK -> names(CR4, value);
            case GUEST_IA32_EFER, HOST_IA32_EFER -> names(EFER, value);
            case GUEST_RFLAGS -> names(RFLAGS, value);
            case EXIT_REASON -> ExitReasons.name((int) value) + ((int) value < 0 ? " ENTRY_FAILURE" : "");
            case VM_ENTRY_INTERRUPTION_INFORMATION, VM_EXIT_INTERRUPTION_INFORMATION, IDT_VECTORING_INFORMATION -> event((int) value);
            case EXCEPTION_BITMAP -> vectors(value);
            default -> isRights(f) ? rights(value) : "";
        };
    }

    private static boolean isRights(VmcsField f) {
        return f.encoding >= VmcsField.GUEST_ES_ACCESS_RIGHTS.encoding && f.encoding <= VmcsField.GUEST_TR_ACCESS_RIGHTS.encoding;
    }

    private static String rights(long ar) {
        String names = names(RIGHTS, ar);
        return (ar & CpuState.AR_UNUSABLE) != 0 ? names : "type " + (ar & 15) + " DPL " + (ar >> 5 & 3) + " " + names;
    }

    private static String names(String[] bits, long value) {
        StringJoiner j = new StringJoiner(" ");
        for (int b = 0; b < bits.length; b++) if (bits[b] != null && (value >>> b & 1) != 0) j.add(bits[b]);
        return j.toString();
    }

    private static String vectors(long bitmap) {
        StringJoiner j = new StringJoiner(" ");
        for (int b = 0; b < 32; b++) if ((bitmap >>> b & 1) != 0) j.add("#" + b);
        return j.toString();
    }

    private static String event(int info) {
        if (info >= 0) return "";
        return EVENT_TYPES[(info & CpuState.INFO_TYPE) >> 8] + " " + (info & 0xff) + ((info & CpuState.INFO_ERROR_CODE) != 0 ? " ERROR_CODE" : "");
    }
}
