package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rule of SDM 26.3.1 is broken once, from a state that is otherwise valid. */
class EntryChecksTest {
    private static final long[] NO_PDPTES = new long[4];

    record Case(String rule, String mode, Consumer<CpuState> breaks) {
        @Override
        public String toString() {
            return rule + " (" + mode + ")";
        }
    }

    private static CpuState state(String mode) {
        CpuState s = new CpuState();
        s.reset();
        if (mode.equals("real")) return s;
        Rig.flat(s);
        switch (mode) {
            case "vm86" -> {
                s.setRflags(VM | 0x200);
                s.cpl = 3;
                for (int seg = ES; seg <= GS; seg++) {
                    s.segBase[seg] = (long) s.segSel[seg] << 4;
                    s.segLimit[seg] = 0xffff;
                    s.segAr[seg] = 0xf3;
                }
            }
            case "long" -> {
                s.cr0 |= CR0_PG;
                s.cr4 |= CR4_PAE;
                s.efer = EFER_LME | EFER_LMA;
                s.segAr[CS] = 0xa09b;
                s.rip = 0xffffffff80000000L;
            }
            case "pae" -> {
                s.cr0 |= CR0_PG;
                s.cr4 |= CR4_PAE;
            }
            case "user" -> {
                s.cpl = 3;
                for (int seg = ES; seg <= GS; seg++) {
                    s.segAr[seg] |= 0x60;
                    s.segSel[seg] |= 3;
                }
            }
            default -> {}
        }
        return s;
    }

    private static void add(List<Case> to, String rule, String mode, Consumer<CpuState> breaks) {
        to.add(new Case(rule, mode, breaks));
    }

    static Stream<Case> rules() {
        List<Case> c = new ArrayList<>();
        add(c, EntryChecks.CR0_PG_PE, "real", s -> s.cr0 |= CR0_PG);
        add(c, EntryChecks.CR4_PAE_IA32E, "long", s -> s.cr4 = 0);
        add(c, EntryChecks.CR3_RESERVED, "flat", s -> s.cr3 = 1L << 52);
        add(c, EntryChecks.DR7_HIGH, "flat", s -> s.dr[7] |= 1L << 32);
        add(c, EntryChecks.SYSENTER_CANONICAL, "flat", s -> s.sysenterEsp = 1L << 47);
        add(c, EntryChecks.SYSENTER_CANONICAL, "flat", s -> s.sysenterEip = 1L << 63);
        add(c, EntryChecks.EFER_LMA_LME, "long", s -> s.efer = EFER_LMA);
        add(c, EntryChecks.EFER_LMA_LME, "pae", s -> s.efer = EFER_LME);
        add(c, EntryChecks.SELECTOR_TI, "flat", s -> s.segSel[TR] = 4);
        add(c, EntryChecks.SELECTOR_TI, "flat", s -> s.segSel[LDTR] = 4);
        for (int seg = ES; seg <= GS; seg++) {
            int g = seg;
            add(c, EntryChecks.VM86_BASE, "vm86", s -> s.segBase[g] += 16);
            add(c, EntryChecks.VM86_LIMIT, "vm86", s -> s.segLimit[g] = 0xfffff);
            add(c, EntryChecks.VM86_RIGHTS, "vm86", s -> s.segAr[g] = 0x93);
            add(c, EntryChecks.SEGMENT_S, "flat", s -> s.segAr[g] &= ~AR_S);
            add(c, EntryChecks.SEGMENT_P, "flat", s -> s.segAr[g] &= ~AR_P);
            add(c, EntryChecks.SEGMENT_RESERVED, "flat", s -> s.segAr[g] |= 1 << 8);
            add(c, EntryChecks.SEGMENT_RESERVED, "flat", s -> s.segAr[g] |= 1 << 17);
            add(c, EntryChecks.SEGMENT_G, "flat", s -> s.segLimit[g] = 0xfffffffeL);
            add(c, EntryChecks.SEGMENT_G, "flat", s -> s.segAr[g] &= ~AR_G);
        }
        for (int seg : new int[] {ES, CS, SS, DS}) add(c, EntryChecks.BASE_HIGH, "flat", s -> s.segBase[seg] = 1L << 32);
        for (int seg : new int[] {FS, GS, TR}) add(c, EntryChecks.BASE_CANONICAL, "long", s -> s.segBase[seg] = 1L << 47);
        add(c, EntryChecks.BASE_CANONICAL, "long", s -> s.segBase[LDTR] = 1L << 47);
        for (int type : new int[] {0, 1, 2, 4, 5, 6, 7, 8, 10, 12, 14}) {
            add(c, EntryChecks.CS_TYPE, "flat", s -> s.segAr[CS] = s.segAr[CS] & ~AR_TYPE | type);
        }
        for (int type : new int[] {0, 1, 2, 4, 5, 6, 8, 9, 11, 15}) {
            add(c, EntryChecks.SS_TYPE, "flat", s -> s.segAr[SS] = s.segAr[SS] & ~AR_TYPE | type);
        }
        for (int seg : new int[] {ES, DS, FS, GS}) {
            for (int type : new int[] {0, 2, 4, 6, 8, 9, 10, 12, 13, 14}) {
                add(c, EntryChecks.DATA_TYPE, "flat", s -> s.segAr[seg] = s.segAr[seg] & ~AR_TYPE | type);
            }
        }
        add(c, EntryChecks.CS_DPL, "flat", s -> s.segAr[CS] |= 0x60);
        add(c, EntryChecks.CS_DPL, "user", s -> s.segAr[CS] &= ~0x60);
        add(c, EntryChecks.CS_DPL, "flat", s -> s.segAr[CS] |= 0x64);
        add(c, EntryChecks.CS_DPL, "real", s -> s.segAr[CS] = 0xf3);
        add(c, EntryChecks.SS_DPL_REAL, "real", s -> {
            s.segAr[SS] = 0xf3;
            s.segAr[CS] = 0xfb;
        });
        add(c, EntryChecks.SS_DPL_REAL, "user", s -> s.segAr[CS] = 0xc093);
        add(c, EntryChecks.CS_L_D, "long", s -> s.segAr[CS] |= AR_DB);
        for (int type : new int[] {0, 1, 2, 9, 10, 7}) {
            add(c, EntryChecks.TR_TYPE, "flat", s -> s.segAr[TR] = s.segAr[TR] & ~AR_TYPE | type);
        }
        add(c, EntryChecks.TR_TYPE, "long", s -> s.segAr[TR] = 0x83);
        add(c, EntryChecks.TR_RIGHTS, "flat", s -> s.segAr[TR] |= AR_S);
        add(c, EntryChecks.TR_RIGHTS, "flat", s -> s.segAr[TR] &= ~AR_P);
        add(c, EntryChecks.TR_RIGHTS, "flat", s -> s.segAr[TR] |= AR_UNUSABLE);
        add(c, EntryChecks.TR_RIGHTS, "flat", s -> s.segAr[TR] |= 1 << 11);
        add(c, EntryChecks.SEGMENT_G, "flat", s -> s.segLimit[TR] = 0x1fffff);
        add(c, EntryChecks.SEGMENT_G, "flat", s -> s.segLimit[LDTR] = 0x1fffff);
        add(c, EntryChecks.LDTR_RIGHTS, "flat", s -> s.segAr[LDTR] = 0x8b);
        add(c, EntryChecks.LDTR_RIGHTS, "flat", s -> s.segAr[LDTR] = 0x02);
        add(c, EntryChecks.LDTR_RIGHTS, "flat", s -> s.segAr[LDTR] = 0x92);
        add(c, EntryChecks.TABLE_LIMIT, "flat", s -> s.gdtLimit = 0x10000);
        add(c, EntryChecks.TABLE_LIMIT, "flat", s -> s.idtLimit = 0x10000);
        add(c, EntryChecks.TABLE_CANONICAL, "flat", s -> s.gdtBase = 1L << 47);
        add(c, EntryChecks.TABLE_CANONICAL, "flat", s -> s.idtBase = 1L << 47);
        add(c, EntryChecks.RIP_HIGH, "flat", s -> s.rip = 1L << 32);
        add(c, EntryChecks.RIP_CANONICAL, "long", s -> s.rip = 1L << 47);
        add(c, EntryChecks.RFLAGS_RESERVED, "flat", s -> s.rflagsOther &= ~2);
        for (int bit : new int[] {3, 5, 15, 22, 31}) {
            add(c, EntryChecks.RFLAGS_RESERVED, "flat", s -> s.rflagsOther |= 1 << bit);
        }
        add(c, EntryChecks.RFLAGS_VM, "long", s -> {
            CpuState vm86 = state("vm86");
            vm86.cr0 = s.cr0;
            vm86.cr4 = s.cr4;
            vm86.efer = s.efer;
            vm86.segSel[CS] = 0;
            vm86.segBase[CS] = 0;
            vm86.rip = 0;
            s.copyFrom(vm86);
        });
        add(c, EntryChecks.RFLAGS_IF, "flat", s -> s.injectInfo = INFO_VALID | 0x20);
        add(c, EntryChecks.ACTIVITY, "flat", s -> s.activity = 4);
        add(c, EntryChecks.HLT_DPL, "user", s -> s.activity = HLT);
        add(c, EntryChecks.ACTIVE_BLOCKING, "flat", s -> {
            s.setRflags(0x202);
            s.activity = HLT;
            s.blocking = BLOCKING_STI;
        });
        add(c, EntryChecks.ACTIVITY_INJECTION, "flat", s -> {
            s.activity = HLT;
            s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | 6;
        });
        add(c, EntryChecks.ACTIVITY_INJECTION, "flat", s -> {
            s.activity = WAIT_FOR_SIPI;
            s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
        add(c, EntryChecks.BLOCKING_RESERVED, "flat", s -> s.blocking = 16);
        add(c, EntryChecks.BLOCKING_BOTH, "flat", s -> {
            s.setRflags(0x202);
            s.blocking = 3;
        });
        add(c, EntryChecks.BLOCKING_STI_IF, "flat", s -> s.blocking = BLOCKING_STI);
        add(c, EntryChecks.BLOCKING_EXTERNAL, "flat", s -> {
            s.setRflags(0x202);
            s.blocking = BLOCKING_MOV_SS;
            s.injectInfo = INFO_VALID | 0x20;
        });
        add(c, EntryChecks.BLOCKING_NMI_INJECTION, "flat", s -> {
            s.blocking = BLOCKING_NMI;
            s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
        add(c, EntryChecks.PENDING_RESERVED, "flat", s -> s.pendingDebug = 1 << 4);
        return c.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rules")
    void brokenRuleIsNamed(Case c) {
        CpuState s = state(c.mode);
        assertNull(EntryChecks.broken(s, NO_PDPTES), "the state is valid before");
        c.breaks.accept(s);
        assertEquals(c.rule, EntryChecks.broken(s, NO_PDPTES));
    }

    @Test
    void everyRuleHasACase() throws IllegalAccessException {
        Set<String> broken = new HashSet<>(rules().map(Case::rule).toList());
        broken.add(EntryChecks.PDPTE);
        for (Field f : EntryChecks.class.getDeclaredFields()) {
            if (f.getType() != String.class || !Modifier.isStatic(f.getModifiers())) continue;
            if (f.getName().startsWith("UNRESTRICTED")) continue;
            assertTrue(broken.contains((String) f.get(null)), f.getName());
        }
    }

    @Test
    void presentPdpteWithReservedBits() {
        CpuState s = state("pae");
        assertNull(EntryChecks.broken(s, new long[] {0x1001, 2, 0, 0}));
        assertEquals(EntryChecks.PDPTE, EntryChecks.broken(s, new long[] {0, 0, 0, 3}));
    }

    @Test
    void unusableSegmentsAreNotChecked() {
        CpuState s = state("flat");
        for (int seg : new int[] {ES, DS, FS, GS, LDTR}) {
            s.segAr[seg] = AR_UNUSABLE;
            s.segLimit[seg] = 0x12345678;
        }
        assertNull(EntryChecks.broken(s, NO_PDPTES));
    }

    @Test
    void rulesThatUnrestrictedGuestTakesAway() {
        CpuState s = state("flat");
        assertNull(EntryChecks.needsUnrestrictedGuest(s));
        s.segSel[SS] = 19;
        assertEquals(EntryChecks.UNRESTRICTED_RPL, EntryChecks.needsUnrestrictedGuest(s));
        s = state("flat");
        s.segAr[CS] = 0xc093;
        assertEquals(EntryChecks.UNRESTRICTED_CS_TYPE, EntryChecks.needsUnrestrictedGuest(s));
        s = state("flat");
        s.segAr[SS] |= 0x60;
        assertEquals(EntryChecks.UNRESTRICTED_SS_DPL, EntryChecks.needsUnrestrictedGuest(s));
        s = state("flat");
        s.segSel[FS] = 0x1003;
        assertEquals(EntryChecks.UNRESTRICTED_DATA_DPL, EntryChecks.needsUnrestrictedGuest(s));
        assertEquals(EntryChecks.UNRESTRICTED_CR0, EntryChecks.needsUnrestrictedGuest(state("real")));
        assertNull(EntryChecks.needsUnrestrictedGuest(state("vm86")));
    }

    @Test
    void haltedGuestTakesInterruptsNmisAndDebugExceptions() {
        for (int info : new int[] {0x20, TYPE_NMI | 2, TYPE_HARDWARE_EXCEPTION | 1, TYPE_HARDWARE_EXCEPTION | 18}) {
            CpuState s = state("flat");
            s.setRflags(0x202);
            s.activity = HLT;
            s.injectInfo = INFO_VALID | info;
            assertNull(EntryChecks.broken(s, NO_PDPTES), Integer.toHexString(info));
        }
    }
}
