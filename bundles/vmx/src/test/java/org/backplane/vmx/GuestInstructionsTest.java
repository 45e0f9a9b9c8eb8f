package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.GuestMachine.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Exits of guest instructions: reason, length, qualification and instruction information (SDM 3C 25.1, 27.2), and none without the control. */
class GuestInstructionsTest {
    private final GuestMachine g = new GuestMachine();

    @AfterEach
    void close() {
        g.close();
    }

    /** Operand forms in the instruction information: 32-bit addresses, in DS, no index, no base. */
    private static final int A32 = 1 << 7, IN_DS = 3 << 15, NO_INDEX = 1 << 22, NO_BASE = 1 << 27, REGISTER = 1 << 10;

    /** An instruction with the control that makes it exit, none if it always does, and what the exit says. */
    record Case(String name, String hex, int reason, int primary, int secondary, long qualification, int information) {
        @Override
        public String toString() {
            return name + " -> " + ExitReasons.name(reason);
        }
    }

    static Stream<Case> instructions() {
        int ebxPlus = A32 | IN_DS | NO_INDEX | RBX << 23;
        return Stream.of(
                new Case("CPUID", "0fa2", ExitReasons.CPUID, 0, 0, 0, 0),
                new Case("HLT", "f4", ExitReasons.HLT, Controls.HLT_EXITING, 0, 0, 0),
                new Case("INVD", "0f08", ExitReasons.INVD, 0, 0, 0, 0),
                new Case("INVLPG [5000]", "0f013d00500000", ExitReasons.INVLPG, Controls.INVLPG_EXITING, 0, 0x5000, 0),
                new Case("RDPMC", "0f33", ExitReasons.RDPMC, Controls.RDPMC_EXITING, 0, 0, 0),
                new Case("RDTSC", "0f31", ExitReasons.RDTSC, Controls.RDTSC_EXITING, 0, 0, 0),
                new Case("VMCALL", "0f01c1", ExitReasons.VMCALL, 0, 0, 0, 0),
                new Case("VMCLEAR [1234]", "660fc73534120000", ExitReasons.VMCLEAR, 0, 0, 0x1234, A32 | IN_DS | NO_INDEX | NO_BASE),
                new Case("VMLAUNCH", "0f01c2", ExitReasons.VMLAUNCH, 0, 0, 0, 0),
                new Case("VMPTRLD [EBX+8]", "0fc77308", ExitReasons.VMPTRLD, 0, 0, 8, ebxPlus),
                new Case("VMPTRST [EBX-8]", "0fc77bf8", ExitReasons.VMPTRST, 0, 0, -8, ebxPlus),
                new Case("VMREAD [EAX+4], ECX", "0f784804", ExitReasons.VMREAD, 0, 0, 4, A32 | IN_DS | NO_INDEX | RCX << 28),
                new Case("VMRESUME", "0f01c3", ExitReasons.VMRESUME, 0, 0, 0, 0),
                new Case("VMWRITE ECX, EDX", "0f79ca", ExitReasons.VMWRITE, 0, 0, 0, REGISTER | RDX << 3 | RCX << 28),
                new Case("VMXOFF", "0f01c4", ExitReasons.VMXOFF, 0, 0, 0, 0),
                new Case("VMXON [ESI+EAX*4]", "f30fc73486", ExitReasons.VMXON, 0, 0, 0, 2 | A32 | IN_DS | RAX << 18 | RSI << 23),
                new Case("INVEPT ECX, [EAX]", "660f388008", ExitReasons.INVEPT, 0, 0, 0, A32 | IN_DS | NO_INDEX | RCX << 28),
                new Case("INVVPID EDX, [EAX]", "660f388110", ExitReasons.INVVPID, 0, 0, 0, A32 | IN_DS | NO_INDEX | RDX << 28),
                new Case("MONITOR", "0f01c8", ExitReasons.MONITOR, Controls.MONITOR_EXITING, 0, 0, 0),
                new Case("MWAIT", "0f01c9", ExitReasons.MWAIT, Controls.MWAIT_EXITING, 0, 0, 0),
                new Case("PAUSE", "f390", ExitReasons.PAUSE, Controls.PAUSE_EXITING, 0, 0, 0),
                new Case("WBINVD", "0f09", ExitReasons.WBINVD, 0, Controls.WBINVD_EXITING, 0, 0),
                new Case(
                        "SIDT [5000]", "0f010d00500000", ExitReasons.GDTR_IDTR, 0, Controls.DESCRIPTOR_TABLE, 0x5000,
                        A32 | 1 << 11 | IN_DS | NO_INDEX | NO_BASE | 1 << 28),
                new Case(
                        "LGDT ES:[EBX+4]", "260f015304", ExitReasons.GDTR_IDTR, 0, Controls.DESCRIPTOR_TABLE, 4,
                        A32 | 1 << 11 | NO_INDEX | RBX << 23 | 2 << 28),
                new Case("SLDT EAX", "0f00c0", ExitReasons.LDTR_TR, 0, Controls.DESCRIPTOR_TABLE, 0, REGISTER),
                new Case("LLDT CX", "0f00d1", ExitReasons.LDTR_TR, 0, Controls.DESCRIPTOR_TABLE, 0, REGISTER | RCX << 3 | 2 << 28),
                new Case("MOV CR3, ECX", "0f22d9", ExitReasons.CR_ACCESS, Controls.CR3_LOAD, 0, 3 | RCX << 8, 0),
                new Case("MOV EBX, CR3", "0f20db", ExitReasons.CR_ACCESS, Controls.CR3_STORE, 0, 3 | 1 << 4 | RBX << 8, 0),
                new Case("MOV DR1, ESI", "0f23ce", ExitReasons.DR_ACCESS, Controls.MOV_DR, 0, 1 | RSI << 8, 0),
                new Case("MOV EDI, DR4", "0f21e7", ExitReasons.DR_ACCESS, Controls.MOV_DR, 0, 4 | 1 << 4 | RDI << 8, 0),
                new Case("IN AL, 80", "e480", ExitReasons.IO, Controls.UNCONDITIONAL_IO, 0, 0x80L << 16 | 1 << 3 | 1 << 6, 0),
                new Case("OUT DX, EAX", "ef", ExitReasons.IO, Controls.UNCONDITIONAL_IO, 0, 0x1f0L << 16 | 3, 0),
                new Case(
                        "REP OUTS DX, ES:[ESI]", "26f36e", ExitReasons.IO, Controls.UNCONDITIONAL_IO, 0, 0x1f0L << 16 | 1 << 4 | 1 << 5, A32),
                new Case("INS DX, word", "666d", ExitReasons.IO, Controls.UNCONDITIONAL_IO, 0, 0x1f0L << 16 | 1 | 1 << 3 | 1 << 4, A32));
    }

    private void prepare() {
        g.s.gpr[RDX] = 0x1f0;
        g.s.gpr[RSI] = g.s.gpr[RDI] = DATA;
        g.s.gpr[RBX] = DATA;
        g.s.gpr[RCX] = 0;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("instructions")
    void exits(Case c) {
        g.primary(c.primary).secondary(c.secondary);
        prepare();
        if (c.hex.startsWith("26f3")) g.s.gpr[RCX] = 2;
        assertEquals(c.reason, g.go(c.hex));
        assertEquals(c.hex.length() / 2, g.get(VmcsField.VM_EXIT_INSTRUCTION_LENGTH), "length");
        assertEquals(CODE, g.get(VmcsField.GUEST_RIP), "the instruction has not been executed");
        assertEquals(c.qualification, g.get(VmcsField.EXIT_QUALIFICATION), "qualification");
        assertEquals(c.information & 0xffffffffL, g.get(VmcsField.VM_EXIT_INSTRUCTION_INFORMATION), "instruction information");
        assertEquals(0, g.get(VmcsField.IDT_VECTORING_INFORMATION));
    }

    /** The same instructions run through to the HLT behind them (or fault) when their control is off. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("instructions")
    void doesNotExitWithoutItsControl(Case c) {
        if (c.primary == 0 && c.secondary == 0 || c.reason == ExitReasons.HLT) return;
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, c.primary).without(VmcsField.SECONDARY_PROCESSOR_BASED_CONTROLS, c.secondary);
        prepare();
        assertEquals(ExitReasons.HLT, g.go(c.hex + "f4"));
        if (c.reason == ExitReasons.RDPMC) assertEquals(HANDLERS + 13 * 16, g.s.rip, "no counter exists");
        else assertEquals(CODE + c.hex.length() / 2, g.s.rip);
    }

    // ---- which fault comes before the exit (SDM 3C 25.1.1, 25.1.3) ----

    @Test
    void privilegeFaultsComeBeforeExitsExceptOfMovDr() {
        for (String hex : new String[] {"f4", "0f08", "0f20c0", "0f32", "0f09"}) {
            try (GuestMachine m = new GuestMachine().user()) {
                m.set(VmcsField.EXCEPTION_BITMAP, 1 << 13);
                assertEquals(ExitReasons.EXCEPTION_NMI, m.go(hex), hex);
                assertEquals(13, m.get(VmcsField.VM_EXIT_INTERRUPTION_INFORMATION) & 0xff);
            }
        }
        g.user();
        assertEquals(ExitReasons.DR_ACCESS, g.go("0f21e7"), "DR4 at CPL 3");
        g.s.dr[7] |= 1 << 13;
        assertEquals(ExitReasons.DR_ACCESS, g.go("0f21c7"), "general detect");
    }

    @Test
    void vmxInstructionsExitAtAnyPrivilegeButAreUndefinedInVirtual8086Mode() {
        g.user();
        assertEquals(ExitReasons.VMXOFF, g.go("0f01c4"));
        try (GuestMachine m = new GuestMachine()) {
            m.s.reset();
            m.s.segSel[CS] = 0;
            m.s.segBase[CS] = 0;
            m.set(VmcsField.EXCEPTION_BITMAP, 1 << 6);
            assertEquals(ExitReasons.EXCEPTION_NMI, m.go("0f01c4"), "real mode");
            assertEquals(ExitReasons.VMCALL, m.go("0f01c1"), "VMCALL exits in every mode");
        }
    }

    @Test
    void xsetbvIsUndefinedWithoutOsxsaveAndExitsWithIt() {
        g.set(VmcsField.EXCEPTION_BITMAP, 1 << 6);
        assertEquals(ExitReasons.EXCEPTION_NMI, g.go("0f01d1"));
        g.s.cr4 |= CR4_OSXSAVE;
        assertEquals(ExitReasons.XSETBV, g.go("0f01d1"));
        assertEquals(3, g.v.exit.insnLength);
    }

    @Test
    void descriptorTableExitComesBeforeTheFaultOfItsOperand() {
        g.secondary(Controls.DESCRIPTOR_TABLE).set(VmcsField.EXCEPTION_BITMAP, -1);
        g.s.segLimit[DS] = 0xfff;
        assertEquals(ExitReasons.GDTR_IDTR, g.go("0f011500500000"));
    }

    // ---- control registers (SDM 3C 25.1.3, 24.6.6 to 24.6.8) ----

    @Test
    void cr0MaskDecidesWhichChangesExitAndTheShadowWhatIsRead() {
        g.set(VmcsField.CR0_GUEST_HOST_MASK, CR0_TS | CR0_PE);
        g.s.gpr[RAX] = g.s.cr0 | CR0_MP;
        assertEquals(ExitReasons.HLT, g.go("0f22c0f4"), "MP is the guest's");
        assertTrue((g.s.cr0 & CR0_MP) != 0);
        g.s.gpr[RAX] = g.s.cr0 | CR0_TS;
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f22c0f4"));
        assertEquals(0, g.v.exit.qualification);
        assertEquals(g.s.gpr[RAX], g.v.exit.value);
        g.set(VmcsField.CR0_READ_SHADOW, g.get(VmcsField.CR0_READ_SHADOW) | CR0_TS);
        assertEquals(ExitReasons.HLT, g.go("0f20c3f4"));
        assertTrue((g.s.gpr[RBX] & CR0_TS) != 0, "MOV reads the shadow");
        assertEquals(0, g.s.gpr[RBX] & CR0_NE, "what is forced on underneath stays unseen");
        assertEquals(ExitReasons.HLT, g.go("0f01e1f4"), "SMSW ECX");
        assertEquals(g.s.cr0 & 0xffff, g.s.gpr[RCX] & 0xffff);
        g.s.gpr[RAX] = g.s.cr0;
        assertEquals(ExitReasons.HLT, g.go("0f22c0f4"), "a value equal to the shadow in all masked bits");
    }

    @Test
    void cltsExitsWhenTheHostOwnsTsAndTheShadowHasIt() {
        g.set(VmcsField.CR0_GUEST_HOST_MASK, CR0_TS);
        assertEquals(ExitReasons.HLT, g.go("0f06f4"), "the shadow has TS=0");
        g.set(VmcsField.CR0_READ_SHADOW, g.get(VmcsField.CR0_READ_SHADOW) | CR0_TS);
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f06f4"));
        assertEquals(2 << 4, g.v.exit.qualification);
    }

    @Test
    void lmswNamesItsSourceAndWhereItIs() {
        g.set(VmcsField.CR0_GUEST_HOST_MASK, CR0_MP);
        g.memory.write(DATA, 2, 0x1233);
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f013500500000"));
        assertEquals(0x1233L << 16 | 3 << 4 | 1 << 6, g.v.exit.qualification);
        assertEquals(DATA, g.get(VmcsField.GUEST_LINEAR_ADDRESS));
        g.s.gpr[RCX] = 3;
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f01f1"), "LMSW CX");
        assertEquals(3L << 16 | 3 << 4, g.v.exit.qualification);
        assertEquals(0, g.get(VmcsField.GUEST_LINEAR_ADDRESS));
    }

    @Test
    void cr3TargetValuesDoNotExit() {
        g.primary(Controls.CR3_LOAD).set(VmcsField.CR3_TARGET_COUNT, 2).set(VmcsField.CR3_TARGET_VALUE0, 0x7000);
        g.set(VmcsField.CR3_TARGET_VALUE1, 0x8000).set(VmcsField.CR3_TARGET_VALUE2, 0xa000);
        for (long value : new long[] {0x7000, 0x8000}) {
            g.s.gpr[RAX] = value;
            assertEquals(ExitReasons.HLT, g.go("0f22d8f4"));
            assertEquals(value, g.s.cr3);
        }
        g.s.gpr[RAX] = 0xa000;
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f22d8f4"), "beyond the count");
    }

    @Test
    void cr4MaskAndShadow() {
        g.set(VmcsField.CR4_GUEST_HOST_MASK, CR4_PSE | CR4_VMXE);
        g.s.gpr[RAX] = CR4_DE;
        assertEquals(ExitReasons.HLT, g.go("0f22e0f4"));
        assertEquals(CR4_DE, g.s.cr4);
        assertEquals(CR4_DE | CR4_VMXE, g.get(VmcsField.GUEST_CR4));
        g.s.gpr[RAX] = CR4_DE | CR4_PSE;
        assertEquals(ExitReasons.CR_ACCESS, g.go("0f22e0f4"));
        assertEquals(4, g.v.exit.qualification);
        g.set(VmcsField.CR4_READ_SHADOW, CR4_PSE);
        assertEquals(ExitReasons.HLT, g.go("0f20e3f4"));
        assertEquals(CR4_DE | CR4_PSE, g.s.gpr[RBX]);
    }

    // ---- TSC ----

    @Test
    void rdtscAndRdmsrOfTheTscAddTheOffset() {
        g.core.tsc = 5000;
        g.core.msrs.put(0x10, 5000L);
        g.set(VmcsField.TSC_OFFSET, -3000);
        assertEquals(ExitReasons.HLT, g.go("0f31f4"));
        assertEquals(2000, g.s.gpr[RAX]);
        g.primary(Controls.MSR_BITMAPS).set(VmcsField.MSR_BITMAPS, g.page());
        g.s.gpr[RCX] = 0x10;
        assertEquals(ExitReasons.HLT, g.go("0f32f4"));
        assertEquals(2000, g.s.gpr[RAX]);
        g.without(VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, Controls.TSC_OFFSETTING);
        assertEquals(ExitReasons.HLT, g.go("0f31f4"));
        assertEquals(5000, g.s.gpr[RAX]);
    }

    // ---- bitmaps ----

    @Test
    void ioBitmapsChoosePortsAndReplaceUnconditionalExiting() {
        long a = g.page(), b = g.page();
        g.primary(Controls.IO_BITMAPS).set(VmcsField.IO_BITMAP_A, a).set(VmcsField.IO_BITMAP_B, b);
        assertEquals(ExitReasons.HLT, g.go("e480f4"), "no bit, no exit");
        assertEquals(0x80, g.s.gpr[RAX] & 0xff, "the port was read");
        HostMemory.putByte(g.host(a) + 0x80 / 8, (byte) 1);
        assertEquals(ExitReasons.IO, g.go("e480f4"));
        assertEquals(ExitReasons.HLT, g.go("e481f4"));
        assertEquals(ExitReasons.IO, g.go("e57ff4"), "one of the four ports is enough");
        g.s.gpr[RDX] = 0x9003;
        assertEquals(ExitReasons.HLT, g.go("ecf4"));
        HostMemory.putByte(g.host(b) + 0x1003 / 8, (byte) 8);
        assertEquals(ExitReasons.IO, g.go("ecf4"), "ports from 8000 on are in bitmap B");
        assertEquals(0x9003L << 16 | 1 << 3, g.v.exit.qualification);
        g.s.gpr[RDX] = 0xffff;
        assertEquals(ExitReasons.HLT, g.go("ecf4"));
        assertEquals(ExitReasons.IO, g.go("66edf4"), "an access that wraps around");
    }

    @Test
    void aBitmapWithoutMemoryReadsAllOnes() {
        g.primary(Controls.IO_BITMAPS).set(VmcsField.IO_BITMAP_A, 0x7fff_f000).set(VmcsField.IO_BITMAP_B, 0x7fff_f000);
        assertEquals(ExitReasons.IO, g.go("e480f4"));
    }

    @Test
    void msrBitmapsChooseReadsAndWritesOfLowAndHighMsrs() {
        long page = g.page();
        g.primary(Controls.MSR_BITMAPS).set(VmcsField.MSR_BITMAPS, page);
        int[][] msrs = {{0x10, 0}, {0x1fff, 0}, {0xc0000080, 0x400}, {0xc0001fff, 0x400}};
        for (int[] m : msrs) {
            g.core.msrs.put(m[0], 77L);
            g.s.gpr[RCX] = m[0] & 0xffffffffL;
            assertEquals(ExitReasons.HLT, g.go("0f32f4"));
            assertEquals(77, g.s.gpr[RAX] & 0xff);
            g.s.gpr[RAX] = 78;
            g.s.gpr[RDX] = 0;
            assertEquals(ExitReasons.HLT, g.go("0f30f4"));
            assertEquals(78, g.core.msrs.get(m[0]));
            int at = m[1] + ((m[0] & 0x1fff) >> 3);
            HostMemory.putByte(g.host(page) + at, (byte) (1 << (m[0] & 7)));
            assertEquals(ExitReasons.RDMSR, g.go("0f32f4"));
            assertEquals(ExitReasons.HLT, g.go("0f30f4"), "reads only");
            HostMemory.putByte(g.host(page) + 0x800 + at, (byte) (1 << (m[0] & 7)));
            assertEquals(ExitReasons.WRMSR, g.go("0f30f4"));
        }
        for (int outside : new int[] {0x2000, 0x40000000, 0xbfffffff, 0xc0002000}) {
            g.s.gpr[RCX] = outside & 0xffffffffL;
            assertEquals(ExitReasons.RDMSR, g.go("0f32f4"), "outside of the bitmaps every access exits");
        }
    }

    @Test
    void anMsrThatDoesNotExistFaultsWithoutAnExit() {
        g.primary(Controls.MSR_BITMAPS).set(VmcsField.MSR_BITMAPS, g.page());
        g.s.gpr[RCX] = 0x123;
        assertEquals(ExitReasons.HLT, g.go("0f32"));
        assertEquals(HANDLERS + 13 * 16, g.s.rip);
    }

    @Test
    void everyReasonThatAnInstructionCausesIsTestedHere() {
        Set<Integer> tested = new HashSet<>();
        instructions().forEach(c -> tested.add(c.reason));
        List<Integer> missing = new ArrayList<>();
        for (int reason = ExitReasons.CPUID; reason < ExitReasons.COUNT; reason++) {
            if (!ExitReasons.name(reason).startsWith("REASON_") && !tested.contains(reason)) missing.add(reason);
        }
        // Tested by name above: XSETBV, RDMSR, WRMSR; in GuestEventsTest or elsewhere: those that no instruction causes.
        assertEquals(
                List.of(
                        ExitReasons.RDMSR, ExitReasons.WRMSR, ExitReasons.INVALID_GUEST_STATE, ExitReasons.MSR_LOADING, ExitReasons.MONITOR_TRAP_FLAG,
                        ExitReasons.MACHINE_CHECK, ExitReasons.TPR_BELOW_THRESHOLD, ExitReasons.APIC_ACCESS, ExitReasons.EPT_VIOLATION,
                        ExitReasons.EPT_MISCONFIGURATION, ExitReasons.PREEMPTION_TIMER, ExitReasons.XSETBV),
                missing);
    }
}
