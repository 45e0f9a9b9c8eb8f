package org.backplane.devfdc;

import java.util.Optional;
import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.BlockPort;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DmaLine;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;

/**
 * The floppy controller: an Intel 82077AA, strapped for the AT (status registers A and B are not driven; the interrupt and the DMA request pass the
 * gate in DOR), with four connectors of which two have drives.
 *
 * <p><b>Phases.</b> A command is written byte by byte to the FIFO, executed, and its result read byte by byte. The bytes of both are
 * in {@link #fifo}; {@link #phase} says which it is. An execution that moves data by DMA is over within the write of the last command byte, and
 * so is a seek: everything takes no virtual time, and the interrupt comes at once. Drivers wait for the interrupt, so they
 * cannot tell; those that poll find the result. Only programmed I/O (ND in SPECIFY) has an execution phase that lasts.
 *
 * <p><b>Interrupt.</b> Raised when a result with an execution phase waits (lowered by reading its first byte), when a seek has ended or polling
 * after a reset found a drive (lowered by SENSE INTERRUPT STATUS), and for each byte of programmed I/O.
 *
 * <p>Commands are in {@link Command}; {@link Control} does those that move no data, {@link Transfer} the others.
 *
 * <p>Source: Intel 82077AA data sheet (290166).
 */
final class Fdc implements Device {
    static final int DRIVES = 4;
    private static final int FITTED = 2;

    private static final int IDLE = 0;
    private static final int COMMAND = 1;
    /** Programmed I/O, from and to the disk. */
    private static final int READING = 2;

    private static final int WRITING = 3;
    private static final int RESULT = 4;

    private static final int RATE_250K = 2;

    private final RegisterFile file = new RegisterFile("fdc");
    private final Register dor = file.register("dor", 8)
            .bits("drive", 0, 2)
            .bits("run", 2)
            .bits("dma_gate", 3)
            .bits("motors", 4, 4)
            .onWrite(v -> dorWritten());
    private final Field selected = dor.field("drive");
    private final Field run = dor.field("run");
    private final Field gate = dor.field("dma_gate");
    private final Field motors = dor.field("motors");
    private final Register tdr = file.register("tdr", 8).bits("tape", 0, 2).bits("undriven", 2, 6, Access.RESERVED_ONES);
    private final Register msr = file.register("msr", 8)
            .bits("drives_busy", 0, 4, Access.READ_ONLY)
            .bits("command_busy", 4, 1, Access.READ_ONLY)
            .bits("non_dma", 5, 1, Access.READ_ONLY)
            .bits("to_host", 6, 1, Access.READ_ONLY)
            .bits("ready", 7, 1, Access.READ_ONLY)
            .onRead(this::mainStatus)
            .derived();
    private final Register dsr = file.register("dsr", 8)
            .bits("rate", 0, 2, Access.WRITE_ONLY)
            .bits("precompensation", 2, 3, Access.WRITE_ONLY)
            .bits("power_down", 6, 1, Access.WRITE_ONLY)
            .bits("reset", 7, 1, Access.WRITE_ONLY)
            .resetValue(RATE_250K)
            .onWrite(this::dsrWritten);
    private final Field rate = dsr.field("rate");
    private final Register fifoPort = file.register("fifo_port", 8).onRead(this::fifoRead).onWrite(v -> fifoWritten((int) v)).derived();
    private final Register dir = file.register("dir", 8).bits("change", 7, 1, Access.READ_ONLY).onRead(this::digitalInput).derived();
    private final Register ccr = file.register("ccr", 8).bits("rate", 0, 2, Access.WRITE_ONLY).derived().onWrite(v -> rate.set(v));

    private final RegisterBank regs = new RegisterBank(file, 6)
            .at(2, dor)
            .at(3, tdr)
            .readAt(4, msr)
            .writeAt(4, dsr)
            .at(5, fifoPort);
    private final RegisterBank inputs = new RegisterBank(file, 1).readAt(0, dir).writeAt(0, ccr);

    /** Command bytes, then result bytes. */
    final RegisterArray fifo = file.array("fifo", 16, 8);

    private final Register phase = file.register("phase", 8);
    /** Next byte of the command or result. */
    private final Register position = file.register("position", 8);
    /** Bytes of the command or result. */
    private final Register length = file.register("length", 8);

    /** Why the interrupt line is raised. */
    private final Register interrupt = file.register("interrupt", 8).bits("data", 0).bits("seek", 1);

    private final Field dataInterrupt = interrupt.field("data");
    private final Field seekInterrupt = interrupt.field("seek");

    final FloppyDrive[] drives = new FloppyDrive[DRIVES];
    final Control control = new Control(this, file);
    final Transfer transfer = new Transfer(this, file);

    private DeviceContext context;
    private IrqLine irq;
    private DmaLine dma;

    Fdc() {
        for (int i = 0; i < DRIVES; i++) drives[i] = new FloppyDrive(file, "drive-" + (char) ('a' + i), i < FITTED);
    }

    // ---- life ----

    /** @throws IllegalArgumentException if an image has the size of no format */
    @Override
    public void attach(DeviceContext c) {
        context = c;
        file.attach(c);
        irq = c.irq(FdcFactory.IRQ);
        dma = c.dma(FdcFactory.DMA);
        for (int i = 0; i < FITTED; i++) drives[i].insert(block(i));
        c.claimPorts(FdcFactory.REGS, 1, regs);
        c.claimPorts(FdcFactory.DIR, 1, inputs);
    }

    @Override
    public void reset() {
        file.reset();
        transfer.reset();
        lookAtDrives();
        updateIrq();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
        transfer.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        transfer.load(state);
        lookAtDrives();
        updateIrq();
    }

    // ---- registers ----

    private void dorWritten() {
        if (run.isSet()) {
            if (control.inReset()) leaveReset();
        } else {
            enterReset();
        }
        updateIrq();
    }

    private void dsrWritten(long v) {
        if ((v & 0x80) == 0) return;
        dsr.clearBits(0x80);
        enterReset();
        if (run.isSet()) leaveReset();
    }

    private void enterReset() {
        phase.set(IDLE);
        position.set(0);
        interrupt.set(0);
        control.enterReset();
        updateIrq();
    }

    private void leaveReset() {
        control.leaveReset();
        seekInterrupt(true);
    }

    private long mainStatus() {
        if (control.inReset()) return 0;
        return switch (phase.intValue()) {
            case COMMAND -> 0x90;
            case READING -> 0xf0;
            case WRITING -> 0xb0;
            case RESULT -> 0xd0;
            default -> 0x80;
        };
    }

    /** The change line belongs to the selected drive, and drives are selected together with their motor. */
    private long digitalInput() {
        int unit = selected.get();
        if ((motors.get() & 1 << unit) == 0) return 0;
        lookAt(unit);
        return drives[unit].changed() ? 0x80 : 0;
    }

    private void fifoWritten(int value) {
        switch (phase.intValue()) {
            case IDLE -> {
                if (control.inReset()) return;
                phase.set(COMMAND);
                length.set(Command.of(value).length);
                position.set(0);
                commandByte(value);
            }
            case COMMAND -> commandByte(value);
            case WRITING -> {
                dataInterrupt(false);
                transfer.byteWritten(value);
            }
            default -> {} // A result is read first.
        }
    }

    private void commandByte(int value) {
        int at = position.intValue();
        fifo.set(at, value);
        position.set(at + 1);
        if (at + 1 == length.intValue()) command().action.accept(this);
    }

    private long fifoRead() {
        switch (phase.intValue()) {
            case READING -> {
                dataInterrupt(false);
                return transfer.byteRead();
            }
            case RESULT -> {
                int at = position.intValue();
                dataInterrupt(false);
                position.set(at + 1);
                if (at + 1 == length.intValue()) phase.set(IDLE);
                return fifo.value(at);
            }
            default -> {
                return 0;
            }
        }
    }

    // ---- for the commands ----

    /** The command that is being executed. */
    Command command() {
        return Command.of(fifo.value(0));
    }

    /** Its bytes; the first is 0. */
    int parameter(int i) {
        return fifo.value(i);
    }

    /** The drive that the command's second byte selects. */
    int unit() {
        return fifo.value(1) & 3;
    }

    /** Ends a command without a result. */
    void done() {
        phase.set(IDLE);
    }

    /** Ends a command: the first {@code bytes} of {@link #fifo} are its result. */
    void result(int bytes) {
        length.set(bytes);
        position.set(0);
        phase.set(RESULT);
    }

    /** Programmed I/O goes on: the processor is asked for a byte. */
    void requestByte(boolean reading) {
        phase.set(reading ? READING : WRITING);
        dataInterrupt(true);
    }

    /** A result of a transfer waits, or a byte of programmed I/O. */
    void dataInterrupt(boolean on) {
        dataInterrupt.set(on);
        updateIrq();
    }

    /** SENSE INTERRUPT STATUS is awaited. */
    void seekInterrupt(boolean on) {
        seekInterrupt.set(on);
        updateIrq();
    }

    private void updateIrq() {
        irq.set(interrupt.value() != 0 && gate.isSet());
    }

    /** Code of the data rate, as in DSR. */
    int rate() {
        return rate.get();
    }

    /** Bytes moved between {@code buffer} and memory, from its start. */
    int moveByDma(boolean toMemory, byte[] buffer, int bytes) {
        return gate.isSet() ? dma.transfer(toMemory, buffer, 0, bytes) : 0;
    }

    boolean terminalCount() {
        return gate.isSet() && dma.terminalCount();
    }

    long nanos() {
        return context.clock().nanos();
    }

    void log(String message) {
        context.log(message);
    }

    /** Notices a medium that was exchanged; one of no known format counts as none. */
    void lookAt(int unit) {
        if (unit >= FITTED || !drives[unit].exchanged(block(unit))) return;
        try {
            drives[unit].insert(block(unit));
        } catch (IllegalArgumentException e) {
            context.log(e.getMessage());
        }
    }

    private void lookAtDrives() {
        for (int i = 0; i < FITTED; i++) lookAt(i);
    }

    private Optional<BlockPort> block(int unit) {
        return context.block(unit == 0 ? FdcFactory.DRIVE_A : FdcFactory.DRIVE_B);
    }
}
