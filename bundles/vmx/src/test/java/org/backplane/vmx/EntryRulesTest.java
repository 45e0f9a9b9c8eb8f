package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.EntryRule.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every {@link EntryRule} is broken, from a state that enters, and VM entry fails as the SDM says: VM-instruction error 7 or 8 with the VMCS as it
 * was, or exit 33 with its qualification; and names the rule. A test's name is the section and the rule.
 */
class EntryRulesTest {
    /** What breaks a rule, in a mode. */
    record Case(EntryRule rule, String mode, Consumer<Vmcs> breaks) {
        @Override
        public String toString() {
            return rule + " [" + mode + "]";
        }
    }

    private static void add(List<Case> to, EntryRule rule, String mode, Consumer<Vmcs> breaks) {
        to.add(new Case(rule, mode, breaks));
    }

    private static void write(List<Case> to, EntryRule rule, VmcsField field, long value) {
        to.add(new Case(rule, "flat", m -> m.vmwrite(field.encoding, value)));
    }

    /** Sets bits of a control word. */
    private static void with(Vmcs m, VmcsField field, long bits) {
        m.vmwrite(field.encoding, m.vmread(field.encoding) | bits);
    }

    private static void without(Vmcs m, VmcsField field, long bits) {
        m.vmwrite(field.encoding, m.vmread(field.encoding) & ~bits);
    }

    private static void primary(Vmcs m, int bits) {
        with(m, VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, bits);
    }

    private static void secondary(Vmcs m, int bits) {
        with(m, VmcsField.SECONDARY_PROCESSOR_BASED_CONTROLS, bits);
    }

    private static void inject(List<Case> to, EntryRule rule, int info) {
        add(to, rule, "flat", m -> m.s.injectInfo = INFO_VALID | info);
    }

    private static void set(CpuState s, String mode) {
        s.reset();
        if (mode.equals("real")) return;
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
    }

    static Stream<Case> controls() {
        List<Case> c = new ArrayList<>();
        long wide = 1L << 36;
        for (int bit : new int[] {1, 2, 4}) add(c, PIN_RESERVED, "flat", m -> without(m, VmcsField.PIN_BASED_CONTROLS, 1 << bit));
        for (int bit : new int[] {7, 31}) add(c, PIN_RESERVED, "flat", m -> with(m, VmcsField.PIN_BASED_CONTROLS, 1L << bit));
        for (int bit : new int[] {1, 8, 26}) {
            add(c, PRIMARY_RESERVED, "flat", m -> without(m, VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS, 1 << bit));
        }
        for (int bit : new int[] {0, 18}) add(c, PRIMARY_RESERVED, "flat", m -> primary(m, 1 << bit));
        for (int bit : new int[] {3, 4, 8, 30}) add(c, SECONDARY_RESERVED, "flat", m -> secondary(m, 1 << bit));
        write(c, EntryRule.CR3_TARGETS, VmcsField.CR3_TARGET_COUNT, 5);
        for (VmcsField f : new VmcsField[] {VmcsField.IO_BITMAP_A, VmcsField.IO_BITMAP_B}) {
            for (long bad : new long[] {0x1800, wide}) {
                add(c, IO_BITMAP_ADDRESS, "flat", m -> {
                    primary(m, Controls.IO_BITMAPS);
                    m.vmwrite(f.encoding, bad);
                });
            }
        }
        for (long bad : new long[] {0x1001, wide}) {
            add(c, MSR_BITMAP_ADDRESS, "flat", m -> {
                primary(m, Controls.MSR_BITMAPS);
                m.vmwrite(VmcsField.MSR_BITMAPS.encoding, bad);
            });
            add(c, EntryRule.VIRTUAL_APIC_ADDRESS, "flat", m -> {
                primary(m, Controls.TPR_SHADOW);
                m.vmwrite(VmcsField.VIRTUAL_APIC_ADDRESS.encoding, bad);
            });
            add(c, EntryRule.APIC_ACCESS_ADDRESS, "flat", m -> {
                secondary(m, Controls.VIRTUALIZE_APIC);
                m.vmwrite(VmcsField.APIC_ACCESS_ADDRESS.encoding, bad);
            });
        }
        add(c, TPR_THRESHOLD_RESERVED, "flat", m -> {
            primary(m, Controls.TPR_SHADOW);
            m.vmwrite(VmcsField.VIRTUAL_APIC_ADDRESS.encoding, 0x1000);
            m.vmwrite(VmcsField.TPR_THRESHOLD.encoding, 0x10);
        });
        add(c, TPR_THRESHOLD_VTPR, "flat", m -> {
            primary(m, Controls.TPR_SHADOW);
            m.vmwrite(VmcsField.VIRTUAL_APIC_ADDRESS.encoding, m.v.memory.frame(0x30) << 12);
            m.setVtpr(0x40);
            m.vmwrite(VmcsField.TPR_THRESHOLD.encoding, 5);
        });
        add(c, VIRTUAL_NMIS, "flat", m -> without(m, VmcsField.PIN_BASED_CONTROLS, Controls.PIN_NMI));
        add(c, EntryRule.NMI_WINDOW, "flat", m -> {
            without(m, VmcsField.PIN_BASED_CONTROLS, Controls.PIN_VIRTUAL_NMI);
            m.v.nmiWindow = true;
        });
        add(c, VPID_ZERO, "flat", m -> secondary(m, Controls.VPID));
        for (int type : new int[] {1, 4, 5, 7}) write(c, EPTP_MEMORY_TYPE, VmcsField.EPT_POINTER, type | 3 << 3);
        for (int length : new int[] {0, 2, 4}) write(c, EPTP_WALK_LENGTH, VmcsField.EPT_POINTER, 6 | length << 3);
        for (long bad : new long[] {1 << 7, 1 << 11, wide}) write(c, EPTP_RESERVED, VmcsField.EPT_POINTER, 6 | 3 << 3 | bad);
        write(c, UNRESTRICTED_EPT, VmcsField.SECONDARY_PROCESSOR_BASED_CONTROLS, Controls.UNRESTRICTED_GUEST);
        write(c, EXIT_RESERVED, VmcsField.VM_EXIT_CONTROLS, 0);
        for (int bit : new int[] {12, 15}) add(c, EXIT_RESERVED, "flat", m -> with(m, VmcsField.VM_EXIT_CONTROLS, 1 << bit));
        add(c, SAVE_TIMER, "flat", m -> with(m, VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_SAVE_TIMER));
        write(c, ENTRY_RESERVED, VmcsField.VM_ENTRY_CONTROLS, 0);
        for (int bit : new int[] {10, 11, 13}) add(c, ENTRY_RESERVED, "flat", m -> with(m, VmcsField.VM_ENTRY_CONTROLS, 1 << bit));
        area(c, EXIT_STORE_AREA, VmcsField.VM_EXIT_MSR_STORE_COUNT, VmcsField.VM_EXIT_MSR_STORE_ADDRESS);
        area(c, EXIT_LOAD_AREA, VmcsField.VM_EXIT_MSR_LOAD_COUNT, VmcsField.VM_EXIT_MSR_LOAD_ADDRESS);
        area(c, ENTRY_LOAD_AREA, VmcsField.VM_ENTRY_MSR_LOAD_COUNT, VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS);
        inject(c, EVENT_TYPE, 1 << 8);
        inject(c, EVENT_NMI_VECTOR, TYPE_NMI | 3);
        inject(c, EVENT_EXCEPTION_VECTOR, TYPE_HARDWARE_EXCEPTION | 32);
        inject(c, EVENT_OTHER_VECTOR, 7 << 8 | 1);
        for (int vector : new int[] {8, 10, 11, 12, 13, 14, 17}) inject(c, EVENT_ERROR_CODE, TYPE_HARDWARE_EXCEPTION | vector);
        for (int vector : new int[] {0, 1, 6, 7, 9, 15, 16, 18}) {
            inject(c, EVENT_ERROR_CODE, TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | vector);
        }
        inject(c, EVENT_ERROR_CODE, INFO_ERROR_CODE | 0x20);
        add(c, EVENT_ERROR_CODE, "real", m -> m.s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13);
        for (int bit : new int[] {12, 13, 30}) inject(c, EVENT_RESERVED, 0x20 | 1 << bit);
        add(c, EVENT_ERROR_RESERVED, "flat", m -> {
            m.s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13;
            m.s.injectError = 1 << 15;
        });
        for (int type : new int[] {TYPE_SOFTWARE_INTERRUPT, TYPE_SOFTWARE_EXCEPTION, TYPE_PRIVILEGED_SOFTWARE_EXCEPTION}) {
            inject(c, EVENT_LENGTH, type | 3);
            add(c, EVENT_LENGTH, "flat", m -> {
                m.s.injectInfo = INFO_VALID | type | 3;
                m.s.injectLength = 16;
            });
        }
        return c.stream();
    }

    /** An area that is not aligned, one that begins outside of physical memory, one that ends there. */
    private static void area(List<Case> c, EntryRule rule, VmcsField count, VmcsField address) {
        for (long bad : new long[] {0x1008, 1L << 36, (1L << 36) - 16}) {
            add(c, rule, "flat", m -> {
                m.vmwrite(count.encoding, 2);
                m.vmwrite(address.encoding, bad);
            });
        }
    }

    static Stream<Case> host() {
        List<Case> c = new ArrayList<>();
        long notCanonical = 1L << 47;
        for (long bit : new long[] {CR0_PE, CR0_NE, CR0_PG}) add(c, EntryRule.HOST_CR0, "flat", m -> without(m, VmcsField.HOST_CR0, bit));
        add(c, EntryRule.HOST_CR0, "flat", m -> with(m, VmcsField.HOST_CR0, 1L << 32));
        add(c, EntryRule.HOST_CR4, "flat", m -> without(m, VmcsField.HOST_CR4, CR4_VMXE));
        add(c, EntryRule.HOST_CR4, "flat", m -> with(m, VmcsField.HOST_CR4, 1L << 31));
        write(c, EntryRule.HOST_CR3, VmcsField.HOST_CR3, 1L << 36);
        write(c, HOST_SYSENTER, VmcsField.HOST_IA32_SYSENTER_ESP, notCanonical);
        write(c, HOST_SYSENTER, VmcsField.HOST_IA32_SYSENTER_EIP, notCanonical);
        for (int type : new int[] {2, 3, 8}) {
            add(c, HOST_PAT, "flat", m -> {
                with(m, VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_LOAD_PAT);
                m.vmwrite(VmcsField.HOST_IA32_PAT.encoding, (long) type << 56);
            });
        }
        for (long efer : new long[] {EFER_LME, EFER_LMA, EFER_LME | EFER_LMA | 1 << 9}) {
            add(c, HOST_EFER, "flat", m -> {
                with(m, VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_LOAD_EFER);
                m.vmwrite(VmcsField.HOST_IA32_EFER.encoding, efer);
            });
        }
        for (int encoding = 0x0c00; encoding <= 0x0c0c; encoding += 2) {
            VmcsField f = VmcsField.of(encoding);
            write(c, HOST_RPL_TI, f, 0x13);
            write(c, HOST_RPL_TI, f, 0x14);
        }
        write(c, HOST_CS, VmcsField.HOST_CS_SELECTOR, 0);
        write(c, HOST_TR, VmcsField.HOST_TR_SELECTOR, 0);
        for (VmcsField f : new VmcsField[] {
            VmcsField.HOST_FS_BASE, VmcsField.HOST_GS_BASE, VmcsField.HOST_TR_BASE, VmcsField.HOST_GDTR_BASE, VmcsField.HOST_IDTR_BASE
        }) {
            write(c, HOST_BASE, f, notCanonical);
        }
        add(c, HOST_SIZE, "flat", m -> without(m, VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_HOST_64));
        add(c, HOST_PAE, "flat", m -> without(m, VmcsField.HOST_CR4, CR4_PAE));
        write(c, EntryRule.HOST_RIP, VmcsField.HOST_RIP, notCanonical);
        return c.stream();
    }

    static Stream<Case> registers() {
        List<Case> c = new ArrayList<>();
        add(c, CR0_FIXED, "flat", m -> m.s.cr0 |= 1L << 32);
        for (int bit : new int[] {12, 14, 16, 22, 31, 32}) add(c, CR4_FIXED, "flat", m -> m.s.cr4 |= 1L << bit);
        add(c, CR0_PG_IA32E, "long", m -> m.s.cr0 &= ~CR0_PG);
        add(c, PCIDE_IA32E, "flat", m -> m.s.cr4 |= CR4_PCIDE);
        write(c, DEBUGCTL_RESERVED, VmcsField.GUEST_IA32_DEBUGCTL, 1 << 2);
        for (int type : new int[] {2, 3, 8}) {
            add(c, GUEST_PAT, "flat", m -> {
                with(m, VmcsField.VM_ENTRY_CONTROLS, Controls.ENTRY_LOAD_PAT);
                m.vmwrite(VmcsField.GUEST_IA32_PAT.encoding, (long) type << 24);
            });
        }
        for (int bit : new int[] {1, 9, 12, 40}) add(c, EFER_RESERVED, "flat", m -> m.s.efer |= 1L << bit);
        add(c, BLOCKING_MOV_SS_NMI, "flat", m -> {
            m.s.blocking = BLOCKING_MOV_SS;
            m.s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
        add(c, BLOCKING_SMI_OUTSIDE, "flat", m -> m.s.blocking = BLOCKING_SMI);
        for (int blocking : new int[] {BLOCKING_STI, BLOCKING_MOV_SS}) {
            add(c, PENDING_BS, "flat", m -> {
                m.s.setRflags(TF | IF | 2);
                m.s.blocking = blocking;
            });
            add(c, PENDING_BS, "flat", m -> {
                m.s.setRflags(IF | 2);
                m.s.blocking = blocking;
                m.s.pendingDebug = 1 << 14;
            });
            add(c, PENDING_BS, "flat", m -> {
                m.vmwrite(VmcsField.GUEST_IA32_DEBUGCTL.encoding, 2);
                m.s.setRflags(TF | IF | 2);
                m.s.blocking = blocking;
                m.s.pendingDebug = 1 << 14;
            });
        }
        add(c, PENDING_BS, "flat", m -> {
            m.s.setRflags(TF | IF | 2);
            m.s.activity = HLT;
        });
        for (long bad : new long[] {0x1800, 1L << 36, 0x7fff_f000}) write(c, LINK_POINTER, VmcsField.VMCS_LINK_POINTER, bad);
        add(c, LINK_POINTER, "flat", m -> m.vmwrite(VmcsField.VMCS_LINK_POINTER.encoding, m.v.memory.frame(0x30) << 12));
        add(c, PDPTE, "pae", m -> m.v.guestPdpte[3] = 3);
        for (int bit : new int[] {1, 5, 8, 36, 63}) add(c, PDPTE, "pae", m -> m.v.guestPdpte[0] = 1 | 1L << bit);
        return c.stream();
    }

    static Stream<Case> segmentsAndState() {
        List<Case> c = new ArrayList<>();
        add(c, CR0_PG_PE, "real", m -> m.s.cr0 |= CR0_PG);
        add(c, CR4_PAE_IA32E, "long", m -> m.s.cr4 = 0);
        add(c, CR3_RESERVED, "flat", m -> m.s.cr3 = 1L << 36);
        add(c, DR7_HIGH, "flat", m -> m.s.dr[7] |= 1L << 32);
        add(c, SYSENTER_CANONICAL, "flat", m -> m.s.sysenterEsp = 1L << 47);
        add(c, SYSENTER_CANONICAL, "flat", m -> m.s.sysenterEip = 1L << 63);
        add(c, EFER_LMA_LME, "long", m -> m.s.efer = EFER_LMA);
        add(c, EFER_LMA_LME, "pae", m -> m.s.efer = EFER_LME);
        add(c, SELECTOR_TI, "flat", m -> m.s.segSel[TR] = 4);
        add(c, SELECTOR_TI, "flat", m -> m.s.segSel[LDTR] = 4);
        for (int seg = ES; seg <= GS; seg++) {
            int g = seg;
            add(c, VM86_BASE, "vm86", m -> m.s.segBase[g] += 16);
            add(c, VM86_LIMIT, "vm86", m -> m.s.segLimit[g] = 0xfffff);
            add(c, VM86_RIGHTS, "vm86", m -> m.s.segAr[g] = 0x93);
            add(c, SEGMENT_S, "flat", m -> m.s.segAr[g] &= ~AR_S);
            add(c, SEGMENT_P, "flat", m -> m.s.segAr[g] &= ~AR_P);
            add(c, SEGMENT_RESERVED, "flat", m -> m.s.segAr[g] |= 1 << 8);
            add(c, SEGMENT_RESERVED, "flat", m -> m.s.segAr[g] |= 1 << 17);
            add(c, SEGMENT_G, "flat", m -> m.s.segLimit[g] = 0xfffffffeL);
            add(c, SEGMENT_G, "flat", m -> m.s.segAr[g] &= ~AR_G);
        }
        for (int seg : new int[] {ES, CS, SS, DS}) add(c, BASE_HIGH, "flat", m -> m.s.segBase[seg] = 1L << 32);
        for (int seg : new int[] {FS, GS, TR}) add(c, BASE_CANONICAL, "long", m -> m.s.segBase[seg] = 1L << 47);
        add(c, BASE_CANONICAL, "long", m -> m.s.segBase[LDTR] = 1L << 47);
        for (int type : new int[] {0, 1, 2, 4, 5, 6, 7, 8, 10, 12, 14}) {
            add(c, CS_TYPE, "flat", m -> m.s.segAr[CS] = m.s.segAr[CS] & ~AR_TYPE | type);
        }
        for (int type : new int[] {0, 1, 2, 4, 5, 6, 8, 9, 11, 15}) {
            add(c, SS_TYPE, "flat", m -> m.s.segAr[SS] = m.s.segAr[SS] & ~AR_TYPE | type);
        }
        for (int seg : new int[] {ES, DS, FS, GS}) {
            for (int type : new int[] {0, 2, 4, 6, 8, 9, 10, 12, 13, 14}) {
                add(c, DATA_TYPE, "flat", m -> m.s.segAr[seg] = m.s.segAr[seg] & ~AR_TYPE | type);
            }
        }
        add(c, CS_DPL, "flat", m -> m.s.segAr[CS] |= 0x60);
        add(c, CS_DPL, "user", m -> m.s.segAr[CS] &= ~0x60);
        add(c, CS_DPL, "flat", m -> m.s.segAr[CS] |= 0x64);
        add(c, CS_DPL, "real", m -> m.s.segAr[CS] = 0xf3);
        add(c, SS_DPL_REAL, "real", m -> {
            CpuState s = m.s;
            s.segAr[SS] = 0xf3;
            s.segAr[CS] = 0xfb;
        });
        add(c, SS_DPL_REAL, "user", m -> m.s.segAr[CS] = 0xc093);
        add(c, CS_L_D, "long", m -> m.s.segAr[CS] |= AR_DB);
        for (int type : new int[] {0, 1, 2, 9, 10, 7}) {
            add(c, TR_TYPE, "flat", m -> m.s.segAr[TR] = m.s.segAr[TR] & ~AR_TYPE | type);
        }
        add(c, TR_TYPE, "long", m -> m.s.segAr[TR] = 0x83);
        add(c, TR_RIGHTS, "flat", m -> m.s.segAr[TR] |= AR_S);
        add(c, TR_RIGHTS, "flat", m -> m.s.segAr[TR] &= ~AR_P);
        add(c, TR_RIGHTS, "flat", m -> m.s.segAr[TR] |= AR_UNUSABLE);
        add(c, TR_RIGHTS, "flat", m -> m.s.segAr[TR] |= 1 << 11);
        add(c, SEGMENT_G, "flat", m -> m.s.segLimit[TR] = 0x1fffff);
        add(c, SEGMENT_G, "flat", m -> m.s.segLimit[LDTR] = 0x1fffff);
        add(c, LDTR_RIGHTS, "flat", m -> m.s.segAr[LDTR] = 0x8b);
        add(c, LDTR_RIGHTS, "flat", m -> m.s.segAr[LDTR] = 0x02);
        add(c, LDTR_RIGHTS, "flat", m -> m.s.segAr[LDTR] = 0x92);
        add(c, TABLE_LIMIT, "flat", m -> m.s.gdtLimit = 0x10000);
        add(c, TABLE_LIMIT, "flat", m -> m.s.idtLimit = 0x10000);
        add(c, TABLE_CANONICAL, "flat", m -> m.s.gdtBase = 1L << 47);
        add(c, TABLE_CANONICAL, "flat", m -> m.s.idtBase = 1L << 47);
        add(c, RIP_HIGH, "flat", m -> m.s.rip = 1L << 32);
        add(c, RIP_CANONICAL, "long", m -> m.s.rip = 1L << 47);
        add(c, RFLAGS_RESERVED, "flat", m -> m.s.rflagsOther &= ~2);
        for (int bit : new int[] {3, 5, 15, 22, 31}) {
            add(c, RFLAGS_RESERVED, "flat", m -> m.s.rflagsOther |= 1 << bit);
        }
        add(c, RFLAGS_VM, "long", m -> {
            CpuState s = m.s;
            CpuState vm86 = new CpuState();
            set(vm86, "vm86");
            vm86.cr0 = s.cr0;
            vm86.cr4 = s.cr4;
            vm86.efer = s.efer;
            vm86.segSel[CS] = 0;
            vm86.segBase[CS] = 0;
            vm86.rip = 0;
            s.copyFrom(vm86);
        });
        add(c, RFLAGS_VM, "vm86", m -> m.s.cr0 &= ~CR0_PE);
        add(c, RFLAGS_IF, "flat", m -> m.s.injectInfo = INFO_VALID | 0x20);
        add(c, ACTIVITY, "flat", m -> m.s.activity = 4);
        add(c, HLT_DPL, "user", m -> m.s.activity = HLT);
        add(c, ACTIVE_BLOCKING, "flat", m -> {
            CpuState s = m.s;
            s.setRflags(0x202);
            s.activity = HLT;
            s.blocking = BLOCKING_STI;
        });
        add(c, ACTIVITY_INJECTION, "flat", m -> {
            CpuState s = m.s;
            s.activity = HLT;
            s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | 6;
        });
        add(c, ACTIVITY_INJECTION, "flat", m -> {
            CpuState s = m.s;
            s.activity = WAIT_FOR_SIPI;
            s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
        add(c, BLOCKING_RESERVED, "flat", m -> m.s.blocking = 16);
        add(c, BLOCKING_BOTH, "flat", m -> {
            CpuState s = m.s;
            s.setRflags(0x202);
            s.blocking = 3;
        });
        add(c, BLOCKING_STI_IF, "flat", m -> m.s.blocking = BLOCKING_STI);
        add(c, BLOCKING_EXTERNAL, "flat", m -> {
            CpuState s = m.s;
            s.setRflags(0x202);
            s.blocking = BLOCKING_MOV_SS;
            s.injectInfo = INFO_VALID | 0x20;
        });
        add(c, BLOCKING_NMI_INJECTION, "flat", m -> {
            CpuState s = m.s;
            s.blocking = BLOCKING_NMI;
            s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
        for (int bit : new int[] {4, 11, 13, 15, 16, 63}) write(c, PENDING_RESERVED, VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS, 1L << bit);
        return c.stream();
    }

    private static int enter(Rig rig) {
        return rig.vcpu().entry.enter(1000, false);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"controls", "host", "registers", "segmentsAndState"})
    void brokenRule(Case c) {
        try (Rig rig = Rig.direct()) {
            set(rig.s, c.mode);
            Vmcs m = rig.vcpu().vmcs;
            assertEquals(CpuBackend.NO_EXIT, enter(rig), "the state enters before: " + rig.v.exit.failedCheck);
            c.breaks.accept(m);
            rig.engine.run = i -> {
                throw new AssertionError("the guest must not run");
            };
            CpuState before = new CpuState();
            before.copyFrom(rig.s);
            int reason = enter(rig);
            assertEquals(c.rule.toString(), rig.v.exit.failedCheck);
            if (c.rule.error() != EntryRule.EXIT) {
                assertEquals(ExitReasons.ENTRY_FAILURE, reason);
                assertEquals(c.rule.section().startsWith("26.2.1") ? 7 : 8, m.vmread(VmcsField.VM_INSTRUCTION_ERROR.encoding));
                assertEquals(0, rig.count(ExitReasons.INVALID_GUEST_STATE), "no VM exit");
            } else {
                assertEquals(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, reason);
                assertEquals(reason & 0xffffffffL, m.vmread(VmcsField.EXIT_REASON.encoding));
                assertEquals(c.rule.qualification(), m.vmread(VmcsField.EXIT_QUALIFICATION.encoding));
            }
            assertEquals(before.injectInfo, rig.s.injectInfo, "a failed entry leaves the event to be injected");
            assertEquals(before.rip, rig.s.rip);
        }
    }

    /** SDM 26.3.1.5 has no word against B0 to B3, the enabled breakpoint, and a BS that nothing holds back. */
    @Test
    void pendingDebugExceptionsMayBeThoseThatThereAre() {
        try (Rig rig = Rig.direct()) {
            set(rig.s, "flat");
            rig.vcpu().vmcs.vmwrite(VmcsField.GUEST_PENDING_DEBUG_EXCEPTIONS.encoding, 0x500f);
            assertEquals(CpuBackend.NO_EXIT, enter(rig), () -> rig.v.exit.failedCheck);
            assertEquals(0x500f, rig.s.pendingDebug);
        }
    }

    /** Rules of SDM 26.3.1.1 and 26.3.1.2 that the "unrestricted guest" control takes away. */
    static Stream<Case> restricted() {
        List<Case> c = new ArrayList<>();
        add(c, CR0_PE_RESTRICTED, "real", m -> {});
        add(c, SELECTOR_RPL, "flat", m -> m.s.segSel[SS] = 19);
        add(c, CS_TYPE, "flat", m -> m.s.segAr[CS] = 0xc093);
        add(c, SS_DPL_RPL, "flat", m -> m.s.segAr[SS] |= 0x60);
        for (int seg : new int[] {ES, DS, FS, GS}) add(c, DATA_DPL, "flat", m -> m.s.segSel[seg] = 0x1003);
        return c.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("restricted")
    void ruleThatUnrestrictedGuestTakesAway(Case c) {
        try (Rig rig = Rig.direct()) {
            set(rig.s, c.mode);
            if (!c.mode.equals("real")) assertNull(EntryChecks.needsUnrestrictedGuest(rig.s));
            c.breaks.accept(rig.vcpu().vmcs);
            assertEquals(c.rule, EntryChecks.needsUnrestrictedGuest(rig.s));
        }
    }

    /** SDM 3C 26.8. */
    @Test
    void onlyPdptesAndTheLinkPointerHaveAQualification() {
        for (EntryRule r : EntryRule.values()) assertEquals(r == PDPTE ? 2 : r == LINK_POINTER ? 4 : 0, r.qualification(), r.toString());
    }

    @Test
    void everyRuleHasACase() {
        Set<EntryRule> broken = EnumSet.noneOf(EntryRule.class);
        Stream.of(controls(), host(), registers(), segmentsAndState(), restricted()).forEach(s -> s.forEach(c -> broken.add(c.rule)));
        assertEquals(EnumSet.allOf(EntryRule.class), broken);
    }

    // ---- what is allowed ----

    private static void enters(String mode, Consumer<Vmcs> change) {
        try (Rig rig = Rig.direct()) {
            set(rig.s, mode);
            change.accept(rig.vcpu().vmcs);
            assertEquals(CpuBackend.NO_EXIT, enter(rig), rig.v.exit.failedCheck);
        }
    }

    /** SDM 26.3.1.2. */
    @Test
    void unusableSegmentsAreNotChecked() {
        enters("flat", m -> {
            for (int seg : new int[] {ES, DS, FS, GS, LDTR}) {
                m.s.segAr[seg] = AR_UNUSABLE;
                m.s.segLimit[seg] = 0x12345678;
            }
        });
    }

    /** SDM 26.3.1.5: what each inactive state takes. */
    @Test
    void haltedGuestTakesInterruptsNmisDebugExceptionsMachineChecksAndAMonitorTrap() {
        for (int info : new int[] {0x20, TYPE_NMI | 2, TYPE_HARDWARE_EXCEPTION | 1, TYPE_HARDWARE_EXCEPTION | 18}) {
            enters("flat", m -> {
                m.s.setRflags(0x202);
                m.s.activity = HLT;
                m.s.injectInfo = INFO_VALID | info;
            });
        }
        enters("flat", m -> {
            m.s.activity = SHUTDOWN;
            m.s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
    }

    /** SDM 26.3.1.5: without virtual NMIs, blocking by NMI is the guest's own affair. */
    @Test
    void nmiUnderBlockingByNmiNeedsVirtualNmisToBeRefused() {
        enters("flat", m -> {
            without(m, VmcsField.PIN_BASED_CONTROLS, Controls.PIN_VIRTUAL_NMI);
            m.s.blocking = BLOCKING_NMI;
            m.s.injectInfo = INFO_VALID | TYPE_NMI | 2;
        });
    }

    /** SDM 26.3.1.5: the link pointer may name a region. */
    @Test
    void linkPointerToARegion() {
        try (Rig rig = Rig.direct().flat()) {
            rig.vcpu().vmcs.vmwrite(VmcsField.VMCS_LINK_POINTER.encoding, rig.vcpu().root().newRegion());
            assertEquals(CpuBackend.NO_EXIT, enter(rig), rig.v.exit.failedCheck);
        }
    }

    /** SDM 26.3.1.6: PDPTEs count in PAE paging only, and their bits only if P is set. */
    @Test
    void pdptesThatAreNotPresentOrNotUsed() {
        enters("pae", m -> m.v.guestPdpte[1] = 2);
        enters("flat", m -> m.v.guestPdpte[1] = 3);
    }

    /** SDM 26.2.1.3: reserved bits of the error code count only if there is one. */
    @Test
    void errorCodeThatIsNotDelivered() {
        enters("flat", m -> {
            m.s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | 6;
            m.s.injectError = -1;
        });
    }

    /** SDM 26.2.1.1, 26.2.1.3: "IA-32e mode guest" and EFER.LMA are one bit, so the rule that they agree cannot be broken. */
    @Test
    void ia32eModeControlIsEferLma() {
        try (Rig rig = Rig.direct().flat()) {
            Vmcs m = rig.vcpu().vmcs;
            with(m, VmcsField.VM_ENTRY_CONTROLS, Controls.ENTRY_IA32E);
            assertEquals(EFER_LMA, rig.s.efer);
            m.vmwrite(VmcsField.GUEST_IA32_EFER.encoding, 0);
            assertEquals(0, m.vmread(VmcsField.VM_ENTRY_CONTROLS.encoding) & Controls.ENTRY_IA32E);
        }
    }
}
