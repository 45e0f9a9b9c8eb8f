package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * The virtual-machine control structure of one vCPU: its controls, the host state, the launch state; guest state and
 * exit information are views (see {@link VmcsField}).
 *
 * <p><b>Guarantees.</b> Everything in here follows from {@code CpuState} and from how the MMU is used: a VMCS thrown away and
 * made again is the same, but for what was written by hand.
 *
 * <p><b>Masks and shadows.</b> {@code CpuState} holds the control registers as the guest sees them. So the read shadow is that value, and the
 * guest-state field is that value with the bits that are forced on underneath: NE and VMXE always; PG, PE, WP and PAE in shadow mode, where the
 * processor always walks PAE shadow tables (kvm-internals: VMX).
 */
final class Vmcs {
    /** EPT memory type write-back, walk length 4 (SDM 3C 24.6.11). */
    static final long EPTP_ATTRIBUTES = 6 | 3 << 3;

    /** What KVM of 2007 owns in CR0; the rest (MP, EM, TS, AM) the guest sets without an exit. */
    private static final long CR0_OWNED = CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_NW | CR0_CD;

    /** The bits of CR4 that the guest sets without an exit; a feature that does not exist yet belongs to the host. */
    private static final long CR4_FREE = CR4_TSD | CR4_DE | CR4_MCE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    final VcpuContext v;
    final CpuState s;
    final long[] stored = new long[VmcsField.values().length];

    // Controls that are tested while the guest runs.
    int pin, primary, secondary, exceptionBitmap, pageFaultMask, pageFaultMatch;
    long cr0Mask, cr4Mask, tscOffset;

    private boolean launched;

    /** A field was written since the controls and the host state were last checked. */
    private boolean unchecked = true;

    Vmcs(VcpuContext v) {
        this.v = v;
        this.s = v.state;
    }

    boolean ept() {
        return primary < 0 && (secondary & Controls.EPT) != 0;
    }

    boolean unrestrictedGuest() {
        return primary < 0 && (secondary & Controls.UNRESTRICTED_GUEST) != 0;
    }

    /** Sets every control as KVM of 2007 did, with later KVM's EPT where the MMU is two-dimensional, and INVLPG exiting where it asks for that. */
    void setUp(Mmu mmu) {
        boolean shadow = mmu.kind() == Mmu.Kind.SHADOW;
        pin = Controls.PIN_MUST | Controls.PIN_EXTERNAL_INTERRUPT | Controls.PIN_NMI | Controls.PIN_VIRTUAL_NMI;
        primary = Controls.PRIMARY_MUST
                | Controls.TSC_OFFSETTING
                | Controls.HLT_EXITING
                | Controls.CR8_LOAD
                | Controls.CR8_STORE
                | Controls.MOV_DR
                | Controls.UNCONDITIONAL_IO
                | (mmu.invlpgExits() ? Controls.INVLPG_EXITING : 0)
                | (shadow ? Controls.CR3_LOAD | Controls.CR3_STORE : Controls.SECONDARY);
        secondary = shadow ? 0 : Controls.EPT | Controls.UNRESTRICTED_GUEST;
        // All page faults exit in shadow mode: mask and match 0. With EPT they are the guest's own affair.
        exceptionBitmap = shadow ? 1 << 14 : 0;
        pageFaultMask = pageFaultMatch = 0;
        cr0Mask = CR0_OWNED;
        cr4Mask = ~CR4_FREE;
        set(VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_MUST | Controls.EXIT_HOST_64);
        set(VmcsField.VMCS_LINK_POINTER, -1);
        setUpHost();
        unchecked = true;
        launched = false;
    }

    /** A 64-bit host of no consequence: the code after a VM exit is this JVM's. */
    private void setUpHost() {
        set(VmcsField.HOST_CR0, CR0_PG | CR0_PE | CR0_NE | CR0_WP | CR0_ET);
        set(VmcsField.HOST_CR4, CR4_PAE | CR4_VMXE);
        set(VmcsField.HOST_CS_SELECTOR, 0x10);
        set(VmcsField.HOST_SS_SELECTOR, 0x18);
        set(VmcsField.HOST_TR_SELECTOR, 0x40);
        set(VmcsField.HOST_IA32_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
    }

    private void set(VmcsField f, long value) {
        f.set(this, value);
    }

    // ---- VMREAD, VMWRITE ----

    /**
     * VMREAD.
     *
     * @throws VmFailException error 12 for an encoding that names no field
     */
    long vmread(int encoding) {
        VmcsField f = field(encoding);
        long value = f.get(this);
        return (encoding & 1) != 0 ? value >>> 32 : value;
    }

    /**
     * VMWRITE.
     *
     * @throws VmFailException error 12 for an encoding that names no field, 13 for a read-only one
     */
    void vmwrite(int encoding, long value) {
        VmcsField f = field(encoding);
        if (f.readOnly()) throw new VmFailException(VmFailException.READ_ONLY_FIELD, f + " cannot be written");
        unchecked = true;
        if ((encoding & 1) != 0) {
            f.set(this, f.get(this) & 0xffffffffL | value << 32);
        } else {
            f.set(this, value);
        }
    }

    private static VmcsField field(int encoding) {
        VmcsField f = VmcsField.of(encoding & ~1);
        if (f == null || (encoding & 1) != 0 && !f.hasHighHalf()) {
            throw new VmFailException(VmFailException.UNSUPPORTED_FIELD, String.format("no field 0x%04x", encoding));
        }
        return f;
    }

    /** A copy for people. */
    VmcsView view() {
        List<VmcsView.Field> fields = new ArrayList<>();
        for (VmcsField f : VmcsField.values()) {
            long value = f.get(this);
            fields.add(new VmcsView.Field(f.name(), f.encoding, value, ""));
        }
        return new VmcsView(launched, fields);
    }

    // ---- launch state and what every entry asks first ----

    /** VMCLEAR: the VMCS may be launched. */
    void clear() {
        launched = false;
    }

    /** VMLAUNCH or VMRESUME, whichever the launch state wants: false if a check of controls or host state failed, see {@code v.exit}. */
    boolean enter() {
        return launched ? resume() : launch();
    }

    boolean launch() {
        if (launched) return fail(VmFailException.LAUNCH_NOT_CLEAR, "VMLAUNCH of a VMCS that is not clear");
        if (!checks()) return false;
        launched = true;
        return true;
    }

    boolean resume() {
        if (!launched) return fail(VmFailException.RESUME_NOT_LAUNCHED, "VMRESUME of a VMCS that was not launched");
        return checks();
    }

    private boolean checks() {
        if (unchecked) {
            String broken = ControlChecks.controls(this);
            if (broken != null) return fail(VmFailException.BAD_CONTROLS, broken);
            broken = ControlChecks.hostState(this);
            if (broken != null) return fail(VmFailException.BAD_HOST_STATE, broken);
            unchecked = false;
        }
        String broken = s.injectInfo < 0 ? ControlChecks.injection(s, unrestrictedGuest()) : null;
        if (broken == null && v.nmiWindow && (pin & Controls.PIN_VIRTUAL_NMI) == 0) {
            broken = "SDM 26.2.1.1: NMI-window exiting needs virtual NMIs";
        }
        return broken == null || fail(VmFailException.BAD_CONTROLS, broken);
    }

    private boolean fail(int error, String what) {
        v.exit.instructionError = error;
        v.exit.failedCheck = what;
        return false;
    }

    // ---- views that are more than one field ----

    long primaryWithWindows() {
        return primary | (v.interruptWindow ? Controls.INTERRUPT_WINDOW : 0) | (v.nmiWindow ? Controls.NMI_WINDOW : 0);
    }

    void setPrimary(long word) {
        int w = (int) word;
        v.interruptWindow = (w & Controls.INTERRUPT_WINDOW) != 0;
        v.nmiWindow = (w & Controls.NMI_WINDOW) != 0;
        primary = w & ~(Controls.INTERRUPT_WINDOW | Controls.NMI_WINDOW);
    }

    /** "IA-32e mode guest" is EFER.LMA: whoever changes the one changes the other. */
    long entryControls() {
        return Controls.ENTRY_MUST | (s.longModeActive() ? Controls.ENTRY_IA32E : 0);
    }

    void setEntryControls(long word) {
        s.efer = s.efer & ~EFER_LMA | ((word & Controls.ENTRY_IA32E) != 0 ? EFER_LMA : 0);
    }

    long guestCr0() {
        return s.cr0 | CR0_NE | (ept() ? 0 : CR0_PG | CR0_PE | CR0_WP);
    }

    long guestCr4() {
        return s.cr4 | CR4_VMXE | (ept() ? 0 : CR4_PAE);
    }

    /** In shadow mode the root of the shadow tables; a 3-level shadow has its four roots in the PDPTE fields. */
    long guestCr3() {
        return ept() ? s.cr3 : v.root << 12;
    }

    void setGuestCr3(long value) {
        if (ept()) s.cr3 = value;
        else v.root = value >>> 12;
    }

    long[] pdptes() {
        return ept() ? v.guestPdpte : v.paeRoot;
    }
}
