package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.VmcsView;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VmcsTest {
    private Rig rig = Rig.direct().flat();
    private Vmcs m = rig.vcpu().vmcs;

    private void useShadow() {
        rig.close();
        rig = Rig.shadow().flat();
        m = rig.vcpu().vmcs;
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private static int error(Runnable r) {
        return assertThrows(VmFailException.class, r::run).error;
    }

    @Test
    void encodingsAreSortedAndUniqueAndTellTheKind() {
        int last = -1;
        for (VmcsField f : VmcsField.values()) {
            assertTrue(f.encoding > last, f + " is out of order");
            last = f.encoding;
            String name = f.name();
            int kind = f.encoding >> 10 & 3;
            if (name.startsWith("HOST_")) assertEquals(3, kind, name);
            if (name.startsWith("GUEST_") && kind != 1) assertEquals(2, kind, name);
        }
    }

    @Test
    void everyFieldReadsAndEveryWritableOneTakesItsOwnValue() {
        for (VmcsField f : VmcsField.values()) {
            long value = m.vmread(f.encoding);
            if (f.readOnly()) {
                assertEquals(13, error(() -> m.vmwrite(f.encoding, value)), f.name());
            } else {
                m.vmwrite(f.encoding, value);
                assertEquals(value, m.vmread(f.encoding), f.name());
            }
        }
    }

    @Test
    void unknownEncodingIsError12() {
        assertEquals(12, error(() -> m.vmread(0x0802 + 0x100)));
        assertEquals(12, error(() -> m.vmwrite(0x7ffe, 0)));
        assertEquals(12, error(() -> m.vmread(0x0803)), "a 16-bit field has no high half");
        assertEquals(12, error(() -> m.vmread(0x681f)), "a field of natural width has no high half");
    }

    @Test
    void highHalfOf64BitFields() {
        m.vmwrite(0x2010, 0x1122334455667788L);
        assertEquals(0x11223344, m.vmread(0x2011));
        m.vmwrite(0x2011, 0x99);
        assertEquals(0x9955667788L, m.vmread(0x2010));
    }

    @Test
    void guestFieldsAreViewsOfCpuState() {
        m.vmwrite(0x0802, 0x12348);
        assertEquals(0x2348, rig.s.segSel[CS], "16 bits");
        m.vmwrite(0x681e, 0xabcd);
        assertEquals(0xabcd, rig.s.rip);
        m.vmwrite(0x6820, 0x246);
        assertEquals(0x246, rig.s.rflags());
        rig.s.gpr[RSP] = 77;
        assertEquals(77, m.vmread(0x681c));
        rig.s.segLimit[ES] = 0xffffffffL;
        assertEquals(0xffffffffL, m.vmread(0x4800));
    }

    @Test
    void shadowModeForcesPagingUnderneath() {
        useShadow();
        rig.s.cr0 = CR0_PE;
        rig.s.cr4 = 0;
        assertEquals(CR0_PE | CR0_PG | CR0_WP | CR0_NE, m.vmread(0x6800));
        assertEquals(CR0_PE, m.vmread(0x6004), "the read shadow is what the guest sees");
        assertEquals(CR4_PAE | CR4_VMXE, m.vmread(0x6804));
        assertEquals(1 << 14, m.vmread(0x4004), "#PF exits");
    }

    @Test
    void eptNeedsNoForcedPagingAndNoPageFaultExits() {
        rig.s.cr0 = CR0_PE;
        assertEquals(CR0_PE | CR0_NE, m.vmread(0x6800));
        assertEquals(0, m.vmread(0x4004));
        assertEquals(Controls.EPT | Controls.UNRESTRICTED_GUEST, m.vmread(0x401e));
        rig.v.root = 0x42;
        assertEquals(0x4205e, m.vmread(0x201a));
    }

    @Test
    void controlsAreThoseOfKvmIn2007() {
        useShadow();
        long primary = m.vmread(0x4002);
        int wanted = Controls.HLT_EXITING | Controls.CR8_LOAD | Controls.CR8_STORE | Controls.UNCONDITIONAL_IO | Controls.MOV_DR
                | Controls.TSC_OFFSETTING | Controls.CR3_LOAD | Controls.CR3_STORE;
        assertEquals(wanted, primary & wanted);
        assertEquals(0, primary & Controls.INVLPG_EXITING, "INVLPG does not exit");
        assertEquals(9, m.vmread(0x4000) & 9, "external interrupts and NMIs exit");
        assertEquals(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_NW | CR0_CD, m.vmread(0x6000));
        long cr4 = CR4_PSE | CR4_PAE | CR4_PGE | CR4_VMXE | CR4_VME;
        assertEquals(cr4, m.vmread(0x6002) & cr4);
    }

    @Test
    void windowsAreBitsOfThePrimaryControls() {
        rig.v.interruptWindow = true;
        assertTrue((m.vmread(0x4002) & Controls.INTERRUPT_WINDOW) != 0);
        m.vmwrite(0x4002, m.vmread(0x4002) & ~Controls.INTERRUPT_WINDOW | Controls.NMI_WINDOW);
        assertFalse(rig.v.interruptWindow);
        assertTrue(rig.v.nmiWindow);
    }

    @Test
    void viewHasNamesEncodingsAndMeanings() {
        VmcsView view = rig.backend.vmcs(rig.v);
        assertEquals(VmcsField.values().length, view.fields().size());
        assertFalse(view.launched());
        rig.enter();
        view = rig.backend.vmcs(rig.v);
        assertTrue(view.launched());
        VmcsView.Field pin = view.fields().stream().filter(f -> f.encoding() == 0x4000).findFirst().orElseThrow();
        assertEquals("PIN_BASED_CONTROLS", pin.name());
        assertEquals(32, pin.width());
        assertEquals(VmcsView.Kind.CONTROL, pin.kind());
        assertEquals("EXTERNAL_INTERRUPT NMI VIRTUAL_NMI", pin.meaning());
        assertEquals(0x1000, view.value("GUEST_RIP"));
    }
}
