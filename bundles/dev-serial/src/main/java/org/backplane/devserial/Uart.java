package org.backplane.devserial;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * A 16550A UART (National Semiconductor PC16550D; TI TL16C550D for the details of its interrupts).
 *
 * <p><b>Transmitter.</b> The line is as fast as the host: a character leaves in the write that brings it, so transmitter and FIFO are
 * empty whenever the guest looks, and a swap finds no character on the way. The THRE interrupt still has its life: it is
 * requested when the holding register has run empty and when ETBEI is switched on over an empty one, and ends when IIR has told of it or the
 * next character comes. Between two requests the line is low for a moment, because the interrupt controller wants an edge.
 *
 * <p><b>Receiver.</b> Input is pulled from the back end as far as there is room, so it never overruns; what does not fit waits there, over
 * a swap too. Only in loopback the guest can outrun itself and sees OE. Below the trigger level the timeout interrupt comes after
 * four character times at the programmed rate. Input is pulled only for a guest that listens: one that has the receive interrupt on, or
 * reads LSR again and again, which cannot be for the transmitter's sake, since that is always empty. So what was typed, or piped in, before a
 * kernel's driver has cleared the FIFOs and opened the port is not lost with them.
 *
 * <p><b>Simplified.</b> A character is eight bits whatever LCR says (parity, stop bits and length count for the timeout only); the
 * far end is always there (CTS, DSR and DCD on) and sends neither breaks nor wrong parity; a break sent by the guest goes nowhere.
 */
final class Uart implements Device {
    private static final int IER_ERBFI = 0x01;
    private static final int IER_ETBEI = 0x02;
    private static final int IER_ELSI = 0x04;
    private static final int IER_EDSSI = 0x08;
    private static final int FCR_ENABLE = 0x01;
    private static final int FCR_CLEAR_RX = 0x02;
    private static final int FCR_TRIGGER = 0xc0;
    private static final int LCR_STB = 0x04;
    private static final int LCR_PEN = 0x08;
    private static final int MCR_OUT2 = 0x08;
    private static final int MCR_LOOP = 0x10;
    private static final int LSR_DR = 0x01;
    private static final int LSR_OE = 0x02;
    private static final int LSR_ERRORS = 0x1e;
    private static final int LSR_THRE_TEMT = 0x60;
    private static final int MSR_DELTAS = 0x0f;
    private static final int MSR_TERI = 0x04;
    private static final int MSR_RI = 0x40;
    /** CTS, DSR and DCD of a far end that is there. */
    private static final int CONNECTED = 0xb0;

    // Interrupt identification, in order of priority (TL16C550D table 5).
    private static final int IIR_LINE_STATUS = 0x06;
    private static final int IIR_DATA = 0x04;
    private static final int IIR_TIMEOUT = 0x0c;
    private static final int IIR_THRE = 0x02;
    private static final int IIR_MODEM = 0x00;
    private static final int IIR_NONE = 0x01;
    private static final int IIR_FIFOS = 0xc0;

    /** Cycles of the crystal for one bit at divisor 1. */
    private static final int CLOCKS_PER_BIT = 16;

    private static final long CRYSTAL_HZ = 1_843_200;
    private static final int[] TRIGGERS = {1, 4, 8, 14};

    private final RegisterFile file = new RegisterFile("serial");
    private final Register rbr = file.register("rbr", 8).derived().onRead(this::receive);
    private final Register thr = file.register("thr", 8).derived().onWrite(this::transmit);
    private final Register ier = file.register("ier", 8)
            .bits("erbfi", 0).bits("etbei", 1).bits("elsi", 2).bits("edssi", 3).onWrite(this::enable);
    private final Register iir = file.register("iir", 8)
            .bits("id", 0, 4, Access.READ_ONLY).bits("fifos", 6, 2, Access.READ_ONLY).derived().onRead(this::readIir);
    private final Register fcr = file.register("fcr", 8)
            .bits("enable", 0).bits("clear_rx", 1).bits("clear_tx", 2).bits("dma_mode", 3).bits("trigger", 6, 2).derived().onWrite(this::control);
    private final Register lcr = file.register("lcr", 8)
            .bits("wls", 0, 2).bits("stb", 2).bits("pen", 3).bits("eps", 4).bits("stick", 5).bits("break", 6).bits("dlab", 7);
    private final Register mcr = file.register("mcr", 8)
            .bits("dtr", 0).bits("rts", 1).bits("out1", 2).bits("out2", 3).bits("loop", 4).onWrite(v -> modemLinesChanged());
    private final Register lsr = file.register("lsr", 8)
            .bits("dr", 0, 1, Access.READ_ONLY)
            .bits("oe", 1, 1, Access.READ_TO_CLEAR).bits("pe", 2, 1, Access.READ_TO_CLEAR)
            .bits("fe", 3, 1, Access.READ_TO_CLEAR).bits("bi", 4, 1, Access.READ_TO_CLEAR)
            .bits("thre", 5, 1, Access.READ_ONLY).bits("temt", 6, 1, Access.READ_ONLY).bits("fifo_error", 7, 1, Access.READ_ONLY)
            .resetValue(LSR_THRE_TEMT).afterRead(this::lineStatusRead);
    private final Register msr = file.register("msr", 8)
            .bits("dcts", 0, 1, Access.READ_TO_CLEAR).bits("ddsr", 1, 1, Access.READ_TO_CLEAR)
            .bits("teri", 2, 1, Access.READ_TO_CLEAR).bits("ddcd", 3, 1, Access.READ_TO_CLEAR)
            .bits("cts", 4, 1, Access.READ_ONLY).bits("dsr", 5, 1, Access.READ_ONLY)
            .bits("ri", 6, 1, Access.READ_ONLY).bits("dcd", 7, 1, Access.READ_ONLY)
            .resetValue(CONNECTED).afterRead(this::updateIrq);
    private final Register scr = file.register("scr", 8);
    private final Register dll = file.register("dll", 8).resetValue(12); // 9600 baud, as firmware leaves it
    private final Register dlm = file.register("dlm", 8);
    /** FCR as last programmed; the port itself cannot be read. */
    private final Register fifoControl = file.register("fifo_control", 8);
    private final Register threRequest = file.register("thre_request", 8);
    private final Register timeoutRequest = file.register("timeout_request", 8);
    /** Reads of LSR without the receive interrupt since the guest last did something else: 0, 1, or 2 for any more. */
    private final Register polls = file.register("polls", 8);
    private final ReceiveFifo rx = new ReceiveFifo(file);
    private final RegisterBank regs = new RegisterBank(file, 8)
            .readAt(0, rbr).writeAt(0, thr)
            .at(1, ier)
            .readAt(2, iir).writeAt(2, fcr)
            .at(3, lcr).at(4, mcr).at(5, lsr).at(6, msr).at(7, scr)
            .layers(lcr.field("dlab"))
            .layerAt(1, 0, dll).layerAt(1, 1, dlm);

    private CharPort line;
    private IrqLine irq;
    private VmClock clock;
    private VmTimer timeout;
    private boolean gatedByOut2;
    /** The level that the line was set to. */
    private boolean raised;
    /** The back end said that it has no more; it calls when it has. */
    private boolean lineIdle;

    @Override
    public void attach(DeviceContext context) {
        file.attach(context);
        line = context.character("chardev");
        irq = context.irq("irq");
        clock = context.clock();
        timeout = context.timer("timeout", this::timedOut);
        gatedByOut2 = switch (context.property("out2")) {
            case "gate" -> true;
            case "ignore" -> false;
            default -> throw new IllegalArgumentException("serial: out2 should be ignore or gate, is " + context.property("out2"));
        };
        context.claimPorts("regs", 1, regs);
        line.onInput(this::pull);
    }

    @Override
    public void reset() {
        file.reset();
        timeout.cancel();
        lineIdle = false;
        raised = false;
        irq.set(false);
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    /** Takes no input yet: until {@link #resume} it belongs to the card in service. */
    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        lineIdle = false;
        if (!awaitingTimeout()) timeout.cancel();
        else if (!timeout.armed()) armTimeout();
        raised = requested();
        irq.set(raised);
    }

    @Override
    public void resume() {
        if (!lineIdle) pull();
    }

    // ---- receiver ----

    /** Takes input, if the guest listens, as far as there is room. */
    private void pull() {
        lineIdle = false;
        boolean listens = ier.test(IER_ERBFI) || polls.value() == 2;
        if (!listens || mcr.test(MCR_LOOP)) return;
        int room = fifosOn() ? ReceiveFifo.DEPTH : 1;
        boolean some = false;
        while (rx.count() < room) {
            int b = line.read();
            if (b < 0) {
                lineIdle = true;
                break;
            }
            rx.add(b);
            some = true;
        }
        if (some) received();
    }

    private void received() {
        lsr.setBits(LSR_DR);
        restartTimeout();
        updateIrq();
    }

    private long receive() {
        int b = rx.take();
        if (rx.count() == 0) lsr.clearBits(LSR_DR);
        timeoutRequest.set(0);
        restartTimeout();
        // First without what may follow, so that the interrupt controller gets an edge for it.
        updateIrq();
        if (!lineIdle) pull();
        return b;
    }

    private boolean fifosOn() {
        return fifoControl.test(FCR_ENABLE);
    }

    private boolean atTrigger() {
        return rx.count() >= (fifosOn() ? TRIGGERS[fifoControl.intValue() >> 6] : 1);
    }

    // ---- timeout ----

    private boolean awaitingTimeout() {
        return fifosOn() && rx.count() > 0 && timeoutRequest.value() == 0;
    }

    private void restartTimeout() {
        if (awaitingTimeout()) armTimeout();
        else timeout.cancel();
    }

    private void armTimeout() {
        int divisor = Math.max(1, dlm.intValue() << 8 | dll.intValue());
        int bits = 1 + 5 + (lcr.intValue() & 3) + (lcr.test(LCR_PEN) ? 1 : 0) + (lcr.test(LCR_STB) ? 2 : 1);
        timeout.arm(clock.nanos() + VmClock.nanosOf(4L * bits * CLOCKS_PER_BIT * divisor, CRYSTAL_HZ));
    }

    private void timedOut() {
        if (rx.count() == 0) return;
        timeoutRequest.set(1);
        updateIrq();
    }

    // ---- transmitter ----

    private void transmit(long b) {
        if (polls.value() != 0) polls.set(0);
        boolean requests = ier.test(IER_ETBEI);
        if (requests) requestThre(0);
        if (mcr.test(MCR_LOOP)) loopBack((int) b);
        else line.write((int) b);
        if (requests) requestThre(1);
    }

    private void requestThre(int on) {
        threRequest.set(on);
        updateIrq();
    }

    /** The transmitter's output goes into the receiver, which does not wait for the guest. */
    private void loopBack(int b) {
        if (rx.count() < (fifosOn() ? ReceiveFifo.DEPTH : 1)) {
            rx.add(b);
        } else {
            lsr.setBits(LSR_OE);
            // With FIFOs the new character is lost, without them the old one.
            if (!fifosOn()) {
                rx.clear();
                rx.add(b);
            }
        }
        received();
    }

    // ---- control ----

    private void enable(long written) {
        polls.set(0);
        // Switched on over an empty holding register, ETBEI requests at once; off, the request is forgotten.
        if (((ier.before() ^ ier.value()) & IER_ETBEI) != 0) threRequest.set(ier.test(IER_ETBEI) ? 1 : 0);
        if (!lineIdle) pull();
        updateIrq();
    }

    private void control(long v) {
        polls.set(0);
        // Turning the FIFOs on or off empties them, and without bit 0 nothing else is programmed.
        boolean toggled = ((v ^ fifoControl.value()) & FCR_ENABLE) != 0;
        fifoControl.set((v & FCR_ENABLE) != 0 ? v & (FCR_ENABLE | FCR_TRIGGER) : 0);
        if (toggled || (v & FCR_ENABLE) != 0 && (v & FCR_CLEAR_RX) != 0) {
            rx.clear();
            lsr.clearBits(LSR_DR);
            timeoutRequest.set(0);
        }
        restartTimeout();
        updateIrq();
        if (!lineIdle) pull();
    }

    /** MCR was written: the outputs move the inputs in loopback only. */
    private void modemLinesChanged() {
        polls.set(0);
        int before = msr.intValue() & 0xf0;
        int now = CONNECTED;
        int m = mcr.intValue();
        // DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD.
        if (mcr.test(MCR_LOOP)) now = (m & 0x01) << 5 | (m & 0x02) << 3 | (m & 0x0c) << 4;
        int deltas = (before ^ now) >> 4;
        // RI counts when it goes off only (trailing edge).
        if ((now & MSR_RI) != 0) deltas &= ~MSR_TERI;
        msr.set(msr.intValue() & MSR_DELTAS | deltas | now);
        if (!lineIdle) pull();
        updateIrq();
    }

    private void lineStatusRead() {
        updateIrq();
        // Counted on an idle line, too: whether it is idle does not outlive a swap, and the guest must not notice one.
        if (polls.value() < 2) polls.set(polls.value() + 1);
        if (!lineIdle) pull();
    }

    // ---- interrupt ----

    private long readIir() {
        int id = identify();
        if (id == IIR_THRE) requestThre(0);
        return fifosOn() ? id | IIR_FIFOS : id;
    }

    private int identify() {
        int enabled = ier.intValue();
        if ((enabled & IER_ELSI) != 0 && lsr.test(LSR_ERRORS)) return IIR_LINE_STATUS;
        if ((enabled & IER_ERBFI) != 0) {
            if (atTrigger()) return IIR_DATA;
            if (timeoutRequest.value() != 0) return IIR_TIMEOUT;
        }
        if ((enabled & IER_ETBEI) != 0 && threRequest.value() != 0) return IIR_THRE;
        if ((enabled & IER_EDSSI) != 0 && msr.test(MSR_DELTAS)) return IIR_MODEM;
        return IIR_NONE;
    }

    private boolean requested() {
        return identify() != IIR_NONE && (!gatedByOut2 || mcr.test(MCR_OUT2) && !mcr.test(MCR_LOOP));
    }

    private void updateIrq() {
        boolean level = requested();
        if (level == raised) return;
        raised = level;
        irq.set(level);
    }
}
