package org.backplane.vmx.realmode;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;
import org.backplane.kvm.spi.exit.ExitReasons;

/**
 * Decides how a guest runs that VM entry would not take as it is, and runs it where that is not the processor's part.
 *
 * <p><b>Ways.</b> {@link #NATIVE}: the processor enters the guest as it is. {@link #VM86}: real mode as virtual-8086 code. {@link #IDENTITY}: protected mode
 * without paging, under EPT without unrestricted guest. {@link #EMULATED}: instruction by instruction over the core's callbacks: in the mode
 * {@code emulate} all of real mode; otherwise what virtual-8086 mode cannot express; and always the moments after CR0.PE was set, in which the segments
 * hold what real mode left there. The way is chosen anew at each entry, and again after each exit that may have changed it.
 *
 * <p><b>Views.</b> Between {@link #toProcessor} and {@link #toGuest} {@code CpuState} holds the processor's view (see {@link RealModeView}). Whoever is
 * called from inside the guest must be called between {@link #toGuest} and {@link #resume}.
 *
 * <p><b>Thread.</b> That of the vCPU; counters may be read by others, late.
 */
public final class RealModeUnit {
    public static final int NATIVE = 0, VM86 = 1, IDENTITY = 2, EMULATED = 3;

    private static final int DEBUG = 1, PAGE_FAULT = 14;

    /** The rules on the guest state that only unrestricted guest takes away. */
    public interface Rules {
        boolean needUnrestrictedGuest(CpuState s);
    }

    private final VcpuContext v;
    private final CpuState s;
    private final Emulator emulator;
    private final Rules rules;
    private final RealModeView view;
    private final IvtDelivery ivt;
    private RealMode mode = RealMode.UNRESTRICTED;
    private boolean ept;

    /** How the guest runs since the last entry. */
    private int way = NATIVE;

    /** Since an exit of this entry the guest can no longer run the way it was entered. */
    private boolean stranded;

    /** The guest was in real mode at the entry, or when the last exit after that had been handled. */
    private boolean realMode;

    /** An exception could not be delivered, nor what followed from that. */
    private boolean tripleFault;

    private long vm86Entries, identityEntries, emulated, trapsEmulated, injected;

    public RealModeUnit(VcpuContext v, Emulator emulator, Rules rules) {
        this.v = v;
        this.s = v.state;
        this.emulator = emulator;
        this.rules = rules;
        view = new RealModeView(s);
        ivt = new IvtDelivery(v);
    }

    /** The guest is outside. */
    public void configure(RealMode mode, boolean ept, RealModePages pages) {
        this.mode = mode;
        this.ept = ept;
        view.configure(mode == RealMode.VM86_2007, ept, pages);
        way = NATIVE;
        realMode = false;
    }

    // ---- the way ----

    /** An entry begins: chooses the way for the guest's present state. What an earlier entry noted about its own way counts no more. */
    public int begin() {
        stranded = tripleFault = false;
        realMode = !s.protectedMode();
        return choose();
    }

    /** Chooses the way for the guest's present state; the guest's view is in the registers. */
    public int choose() {
        way = way();
        return way;
    }

    private int way() {
        if (mode == RealMode.UNRESTRICTED) return NATIVE;
        if (!s.protectedMode()) return mode.usesVm86() && view.expressible() ? VM86 : EMULATED;
        if (rules.needUnrestrictedGuest(s)) return EMULATED;
        return ept && !s.paging() ? IDENTITY : NATIVE;
    }

    /**
     * An exit was handled. Only here the guest itself has gone to protected mode; a state that is found at an entry may come from anywhere, a loader or a
     * caller who set the registers, and stays as it is.
     *
     * <p>An exit that leaves {@code enter} before it is handled needs no such look: no instruction that sets PE is completed by one. It leaves because an
     * observer took it, who is the one who sets the registers then; because the caller of the API owes an access, after which the instruction comes
     * again from its beginning, in place; or because of a control that does something at every entry and exit, and no VMCS that is set up
     * here has one.
     */
    private void handled() {
        boolean left = realMode && s.protectedMode();
        realMode = !s.protectedMode();
        if (left && mode == RealMode.VM86_2007) view.legacyLeave();
    }

    /** The guest runs on the way chosen: the processor's view, and the counters. */
    public void enter() {
        if (way == VM86) vm86Entries++;
        else if (way == IDENTITY) identityEntries++;
        toProcessor();
    }

    /** The processor's view of the guest, on the way chosen. */
    public void toProcessor() {
        if (way == VM86) view.toVm86();
        else if (way == IDENTITY) view.toIdentity();
    }

    /** The guest's view; nothing happens if the registers hold it. */
    public void toGuest() {
        view.toGuest();
    }

    /** The core's dispatch, to be called from inside the guest. */
    public ExitDispatcher around(ExitDispatcher core) {
        return new GuestViewDispatcher(this, core);
    }

    /** After something outside was called: the processor's view again, unless the guest must now be entered in another way. */
    void resume() {
        if (way == NATIVE) return;
        handled();
        int before = way;
        if (choose() != before) {
            stranded = true;
            return;
        }
        toProcessor();
        view.selectTlb(v.tlb);
    }

    /** The guest that ran natively changed a register which decides about that. */
    public void look() {
        if (way == NATIVE && choose() != NATIVE) stranded = true;
    }

    /** The guest cannot go on as it was running: leave it, and enter it anew. */
    public boolean stranded() {
        return stranded;
    }

    /** The processor runs virtual-8086 code in real mode's place: the view in the registers. */
    public boolean vm86() {
        return view.vm86();
    }

    /** The guest runs over page tables that are not its own: accesses to CR3 must exit. */
    public boolean hidesPaging() {
        return ept && (way == VM86 || way == IDENTITY);
    }

    public long guestCr0() {
        return view.guestCr0();
    }

    public long guestCr4() {
        return view.guestCr4();
    }

    // ---- events ----

    /** The event that waits in {@code state.injectInfo} is not for the processor to deliver. */
    public boolean injectsByHand() {
        return way == VM86 || way == EMULATED;
    }

    /**
     * Delivers {@code state.injectInfo}: through the IVT, or in protected mode by the emulator. The guest's view is in the registers.
     *
     * @return {@link #DELIVERED}; {@link #TRIPLE_FAULT}, which is not recorded yet; or {@link #LEFT}, with the event in {@code state.vectoringInfo} or
     *     still in {@code state.injectInfo}, unless the exit was a triple fault
     */
    public int inject() {
        injected++;
        if (!s.protectedMode()) return ivt.deliver();
        int info = s.injectInfo;
        s.injectInfo = 0;
        v.insnLength = 0;
        return emulator.deliver(v, info, s.injectError, s.injectLength) == Intercepts.DONE ? DELIVERED : LEFT;
    }

    /** Raises the exception that a handler answered; that handler changed nothing, so the guest is in real mode as it was. False for a triple fault. */
    boolean raiseByHand() {
        queue(v.faultVector);
        injected++;
        int end = ivt.deliver();
        // The caller of the API owes something first: the next entry delivers it.
        if (end == LEFT) stranded = true;
        tripleFault = end == TRIPLE_FAULT;
        return !tripleFault;
    }

    /** The exit that was just handled ended in a triple fault. */
    public boolean tripleFault() {
        return tripleFault;
    }

    private void queue(int vector) {
        if (vector == DEBUG) s.enterDebugException();
        s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | vector;
        s.injectError = 0;
        s.injectLength = 0;
    }

    /** An exception of virtual-8086 code was handled without being given back: the instruction was emulated, unless a page fault was mended. */
    void trapHandled(int interruptionInfo) {
        if ((interruptionInfo & 0xff) != PAGE_FAULT) trapsEmulated++;
    }

    // ---- the emulator's part ----

    /**
     * What ended {@link #inject} or {@link #emulate}, besides exit reasons: a triple fault that is no exit yet; an exit during a delivery, recorded and
     * with its reason where the exits leave it, or an access of one by hand that the caller of the API must answer first, which is no exit.
     */
    public static final int TRIPLE_FAULT = -2, LEFT = -3;

    /** {@link #inject} entered the handler. */
    public static final int DELIVERED = 0;

    /**
     * Emulates until the processor can go on, or there is something to do for the core.
     *
     * @param budget the most instructions
     * @return the reason of a window exit, {@link #TRIPLE_FAULT}, {@link #LEFT}, or {@link CpuBackend#NO_EXIT}
     */
    public int emulate(long budget) {
        for (long n = 0; n < budget; n++) {
            // What the core asked for is acknowledged already; it comes first.
            if (s.injectInfo >= 0 && s.pendingDebug != 0 && (s.blocking & BLOCKING_MOV_SS) == 0) queue(DEBUG);
            if (s.injectInfo < 0) {
                int end = inject();
                if (end != DELIVERED) return end;
            }
            if (v.leave || s.activity != ACTIVE) return CpuBackend.NO_EXIT;
            if (v.nmiWindow && (s.blocking & (BLOCKING_NMI | BLOCKING_MOV_SS)) == 0) return ExitReasons.NMI_WINDOW;
            if (v.interruptWindow && s.interruptible()) return ExitReasons.INTERRUPT_WINDOW;
            if (way() != EMULATED) return CpuBackend.NO_EXIT;
            if (v.debug.active && debuggerStops()) return CpuBackend.NO_EXIT;
            if (breakpoint()) continue;
            emulated++;
            int answer = v.exits.emulate(v);
            handled();
            if (answer == Intercepts.EXIT) return CpuBackend.NO_EXIT;
        }
        return CpuBackend.NO_EXIT;
    }

    /** The debugger outside of the guest wants to stop here; the core reports it. */
    private boolean debuggerStops() {
        return v.debug.stopped() || v.debug.stopsBefore(s.linearRip(), v.instructions);
    }

    /** An instruction breakpoint in the guest's debug registers: #DB before the instruction, unless RF or MOV SS hold it back (SDM 3B 17.3.1.1). */
    private boolean breakpoint() {
        if ((s.rflagsOther & RF) != 0 || (s.blocking & BLOCKING_MOV_SS) != 0) return false;
        int hits = s.instructionBreakpoints();
        if (hits == 0) return false;
        s.pendingDebug |= hits;
        queue(DEBUG);
        return true;
    }

    // ---- counters ----

    public void addCounters(Map<String, Long> c) {
        c.merge("realmode.vm86_entries", vm86Entries, Long::sum);
        c.merge("realmode.vm86_traps_emulated", trapsEmulated, Long::sum);
        c.merge("realmode.identity_entries", identityEntries, Long::sum);
        c.merge("realmode.instructions_emulated", emulated, Long::sum);
        c.merge("realmode.injected_by_hand", injected, Long::sum);
    }
}
