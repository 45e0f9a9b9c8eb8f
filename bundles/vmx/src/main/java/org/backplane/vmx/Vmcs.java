package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.vmx.realmode.RealModeUnit;

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
    /** EPT memory type write-back, walk length 4, accessed and dirty flags (SDM 3C 24.6.11). */
    private static final long EPTP_ATTRIBUTES = 6 | 3 << 3 | 1 << 6;

    /** What KVM of 2007 owns in CR0; the rest (MP, EM, TS, AM) the guest sets without an exit. */
    private static final long CR0_OWNED = CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_NW | CR0_CD;

    /** The bits of CR4 that the guest sets without an exit; a feature that does not exist yet belongs to the host. */
    private static final long CR4_FREE = CR4_TSD | CR4_DE | CR4_MCE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    /** Offset of VTPR in the virtual-APIC page. */
    static final int VTPR = 0x80;

    final VcpuContext v;
    final CpuState s;

    /** What the processor has in the place of real mode; the control registers that the guest reads come from there. */
    final RealModeUnit realMode;

    final long[] stored = new long[VmcsField.values().length];

    // Controls that are tested while the guest runs.
    int pin, primary, secondary, entry, exceptionBitmap, pageFaultMask, pageFaultMatch;
    long cr0Mask, cr4Mask, tscOffset;

    /** Frame of the APIC-access page while APIC accesses are virtualized, else 0, which is no frame. */
    long apicFrame;

    /**
     * No control wants anything done at each entry or exit (MSR areas, timer, PAT), so that an exit may be handled in place, without the entry after
     * it.
     */
    boolean exitsInPlace;

    /** Bits 11:0 of EPTP; the rest is the MMU's root. */
    private long eptpAttributes;

    private boolean launched, pagingHidden;

    /** A field was written since the controls and the host state were last checked. */
    private boolean unchecked = true;

    Vmcs(VcpuContext v, RealModeUnit realMode) {
        this.v = v;
        this.s = v.state;
        this.realMode = realMode;
    }

    /** Whether a #PF with this error code exits: bitmap, mask and match (SDM 3C 25.2). */
    boolean pageFaultExits(int error) {
        boolean match = (error & pageFaultMask) == pageFaultMatch;
        return match == ((exceptionBitmap & 1 << 14) != 0);
    }

    /** The secondary controls, 0 while they are not activated. */
    int activeSecondary() {
        return primary < 0 ? secondary : 0;
    }

    boolean ept() {
        return primary < 0 && (secondary & Controls.EPT) != 0;
    }

    boolean unrestrictedGuest() {
        return primary < 0 && (secondary & Controls.UNRESTRICTED_GUEST) != 0;
    }

    /**
     * Sets every control as KVM of 2007 did, with later KVM's EPT where the MMU is two-dimensional, INVLPG exiting where the MMU asks for it, and
     * exits for MONITOR and MWAIT, which the guest's CPUID does not have.
     *
     * @param unrestricted the guest's real mode is the processor's affair; without EPT the next entry fails
     */
    void setUp(Mmu mmu, boolean unrestricted) {
        boolean shadow = mmu.kind() == Mmu.Kind.SHADOW;
        pin = Controls.PIN_MUST | Controls.PIN_EXTERNAL_INTERRUPT | Controls.PIN_NMI | Controls.PIN_VIRTUAL_NMI;
        primary = Controls.PRIMARY_MUST
                | Controls.TSC_OFFSETTING
                | Controls.HLT_EXITING
                | Controls.CR8_LOAD
                | Controls.CR8_STORE
                | Controls.MOV_DR
                | Controls.UNCONDITIONAL_IO
                | Controls.MONITOR_EXITING
                | Controls.MWAIT_EXITING
                | (mmu.invlpgExits() ? Controls.INVLPG_EXITING : 0)
                | (shadow ? Controls.CR3_LOAD | Controls.CR3_STORE : 0)
                | (shadow && !unrestricted ? 0 : Controls.SECONDARY);
        secondary = (shadow ? 0 : Controls.EPT) | (unrestricted ? Controls.UNRESTRICTED_GUEST : 0);
        // All page faults exit in shadow mode: mask and match 0. With EPT they are the guest's own affair.
        exceptionBitmap = shadow ? 1 << 14 : 0;
        pageFaultMask = pageFaultMatch = 0;
        eptpAttributes = EPTP_ATTRIBUTES;
        cr0Mask = CR0_OWNED;
        cr4Mask = ~CR4_FREE;
        entry = Controls.ENTRY_MUST;
        set(VmcsField.VM_EXIT_CONTROLS, Controls.EXIT_MUST | Controls.EXIT_HOST_64);
        set(VmcsField.VMCS_LINK_POINTER, -1);
        setUpHost();
        unchecked = true;
        launched = false;
        pagingHidden = false;
    }

    /** A guest over page tables that are not its own has every access to CR3 exit (kvm-internals 4). Only under EPT; otherwise they exit anyway. */
    void hidePaging(boolean hide) {
        if (hide == pagingHidden) return;
        pagingHidden = hide;
        int cr3 = Controls.CR3_LOAD | Controls.CR3_STORE;
        primary = hide ? primary | cr3 : primary & ~cr3;
    }

    /** While virtual-8086 code stands in for real mode, every exception exits (kvm-internals 4). */
    int exceptionBitmap() {
        return realMode.vm86() ? -1 : exceptionBitmap;
    }

    /** A 64-bit host of no consequence: the code after a VM exit is this JVM's. */
    private void setUpHost() {
        set(VmcsField.HOST_CR0, CR0_PG | CR0_PE | CR0_NE | CR0_WP | CR0_ET);
        set(VmcsField.HOST_CR4, CR4_PAE | CR4_VMXE);
        set(VmcsField.HOST_CS_SELECTOR, 0x10);
        set(VmcsField.HOST_SS_SELECTOR, 0x18);
        set(VmcsField.HOST_TR_SELECTOR, 0x40);
        set(VmcsField.HOST_IA32_PAT, 0x0007_0406_0007_0406L);
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
            fields.add(new VmcsView.Field(f.name(), f.encoding, value, FieldMeaning.of(f, value)));
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
        return checks();
    }

    boolean resume() {
        if (!launched) return fail(VmFailException.RESUME_NOT_LAUNCHED, "VMRESUME of a VMCS that was not launched");
        return checks();
    }

    /** The entry succeeded. */
    void entered() {
        launched = true;
    }

    private boolean checks() {
        EntryRule broken = null;
        if (unchecked) {
            broken = ControlChecks.controls(this);
            if (broken == null) broken = HostChecks.broken(this);
        }
        if (broken == null && v.nmiWindow) broken = ControlChecks.windows(this);
        if (broken == null && s.injectInfo < 0) broken = ControlChecks.injection(s, unrestrictedGuest());
        if (broken == null && (primary & Controls.TPR_SHADOW) != 0) broken = ControlChecks.tpr(this, vtpr());
        return broken == null || fail(broken.error(), broken.toString());
    }

    private boolean fail(int error, String what) {
        v.exit.instructionError = error;
        v.exit.failedCheck = what;
        return false;
    }

    /** The guest-state rule that is broken, or null. Then the VMCS as it is now need not be checked again. */
    EntryRule guestState() {
        EntryRule broken = EntryChecks.broken(this);
        if (broken != null || !unchecked) return broken;
        broken = EntryChecks.fields(this);
        if (broken == null) {
            derive();
            unchecked = false;
        }
        return broken;
    }

    /** What is looked at while the guest runs. */
    private void derive() {
        boolean virtualApic = (activeSecondary() & Controls.VIRTUALIZE_APIC) != 0;
        apicFrame = virtualApic ? VmcsField.APIC_ACCESS_ADDRESS.get(this) >>> 12 : 0;
        long perEntry = VmcsField.VM_ENTRY_MSR_LOAD_COUNT.get(this) | VmcsField.VM_EXIT_MSR_STORE_COUNT.get(this)
                | pin & Controls.PIN_PREEMPTION_TIMER
                | VmcsField.VM_ENTRY_CONTROLS.get(this) & Controls.ENTRY_LOAD_PAT
                | VmcsField.VM_EXIT_CONTROLS.get(this) & Controls.EXIT_SAVE_PAT;
        exitsInPlace = perEntry == 0;
    }

    // ---- pages that fields name ----

    /** A byte of the page at a host-physical address; all ones where there is no memory. */
    int pageByte(VmcsField address, int offset) {
        long host = v.memory.frames().host(address.get(this) >>> 12);
        return host == 0 ? 0xff : HostMemory.getByte(host + offset) & 0xff;
    }

    /** VTPR: the virtual task priority, a byte of the virtual-APIC page (SDM 3C 29.1.1). */
    int vtpr() {
        return pageByte(VmcsField.VIRTUAL_APIC_ADDRESS, VTPR);
    }

    void setVtpr(int value) {
        long host = v.memory.frames().host(VmcsField.VIRTUAL_APIC_ADDRESS.get(this) >>> 12);
        if (host != 0) HostMemory.putByte(host + VTPR, (byte) value);
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
        return entry | (s.longModeActive() ? Controls.ENTRY_IA32E : 0);
    }

    void setEntryControls(long word) {
        entry = (int) word & ~Controls.ENTRY_IA32E;
        s.efer = s.efer & ~EFER_LMA | ((word & Controls.ENTRY_IA32E) != 0 ? EFER_LMA : 0);
    }

    long guestCr0() {
        return s.cr0 | CR0_NE | (ept() ? 0 : CR0_PG | CR0_PE | CR0_WP);
    }

    long guestCr4() {
        return s.cr4 | CR4_VMXE | (ept() ? 0 : CR4_PAE);
    }

    long eptp() {
        return ept() ? v.root << 12 | eptpAttributes : 0;
    }

    void setEptp(long value) {
        v.root = value >>> 12;
        eptpAttributes = value & 0xfff;
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
