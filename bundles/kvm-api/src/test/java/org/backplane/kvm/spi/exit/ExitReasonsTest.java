package org.backplane.kvm.spi.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Basic exit reasons by number (SDM 3D appendix C). Read by reflection: a compiler would put the constants' values into this class. */
class ExitReasonsTest {
    private static final String NUMBERS =
            """
            0 EXCEPTION_NMI  1 EXTERNAL_INTERRUPT  2 TRIPLE_FAULT  3 INIT  4 SIPI  7 INTERRUPT_WINDOW  8 NMI_WINDOW  9 TASK_SWITCH
            10 CPUID  12 HLT  13 INVD  14 INVLPG  15 RDPMC  16 RDTSC  18 VMCALL  19 VMCLEAR  20 VMLAUNCH  21 VMPTRLD
            22 VMPTRST  23 VMREAD  24 VMRESUME  25 VMWRITE  26 VMXOFF  27 VMXON  28 CR_ACCESS  29 DR_ACCESS  30 IO  31 RDMSR
            32 WRMSR  33 INVALID_GUEST_STATE  34 MSR_LOADING  36 MWAIT  37 MONITOR_TRAP_FLAG  39 MONITOR  40 PAUSE
            41 MACHINE_CHECK  43 TPR_BELOW_THRESHOLD  44 APIC_ACCESS  46 GDTR_IDTR  47 LDTR_TR  48 EPT_VIOLATION
            49 EPT_MISCONFIGURATION  50 INVEPT  52 PREEMPTION_TIMER  53 INVVPID  54 WBINVD  55 XSETBV
            """;

    private static Map<Integer, String> expected() {
        Map<Integer, String> reasons = new TreeMap<>();
        String[] words = NUMBERS.strip().split("\\s+");
        for (int i = 0; i < words.length; i += 2) reasons.put(Integer.parseInt(words[i]), words[i + 1]);
        return reasons;
    }

    @Test
    void theNumbersAreThoseOfTheProcessor() throws IllegalAccessException {
        Map<Integer, String> reasons = new TreeMap<>();
        for (Field f : ExitReasons.class.getFields()) {
            boolean reason = Modifier.isStatic(f.getModifiers()) && !f.getName().equals("COUNT") && !f.getName().equals("ENTRY_FAILURE");
            if (reason) reasons.put(f.getInt(null), f.getName());
        }
        assertEquals(expected(), reasons);
    }

    @Test
    void everyNumberHasTheNameOfItsConstant() {
        Map<Integer, String> expected = expected();
        for (int n = 0; n < 70; n++) {
            assertEquals(expected.getOrDefault(n, "REASON_" + n), ExitReasons.name(n));
            assertEquals(ExitReasons.name(n), ExitReasons.name(n | 1 << 31), "bit 31 is no part of the reason");
        }
    }
}
