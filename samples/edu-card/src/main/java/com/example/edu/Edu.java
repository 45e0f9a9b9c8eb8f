package com.example.edu;

import java.util.Arrays;
import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * The educational device of QEMU (docs/specs/edu), without PCI: its registers are at a gpa and its interrupt is a GSI, both of the slot.
 *
 * <p><b>Time.</b> A factorial and a DMA transfer each take {@value #WORK_NANOS} ns of the VM's clock, so that a driver that does not wait
 * for them finds out. Both are done by timers: nothing here runs in a thread of the host, and a pause of the VM is a pause of the device.
 *
 * <p><b>Busy.</b> While a factorial is computed its register takes no writes, and while a transfer runs none of the DMA registers does.
 *
 * <p><b>State</b> is the registers and the buffer. Deadlines are the core's and come back by themselves; work that is under way in a state
 * without its deadline starts anew.
 */
final class Edu implements Device {
    /** Of the claimed range: a page, all registers are in its first 160 bytes. */
    static final int LENGTH = 0x1000;

    /** Version 1.0 of the device. */
    static final int IDENTIFICATION = 0x010000ed;

    /** Where the buffer is for DMA. The processor does not see it. */
    static final int BUFFER = 0x40000;

    static final int BUFFER_SIZE = 4096;

    /** How long a factorial or a transfer takes. */
    static final long WORK_NANOS = 100_000;

    /** Bits of the interrupt status that the device sets by itself. */
    static final int FACTORIAL_DONE = 1, DMA_DONE = 0x100;

    private final RegisterFile file = new RegisterFile("edu");
    private final Register identification =
            file.register("identification", 32).resetValue(IDENTIFICATION).readOnly().derived();
    private final Register liveness = file.register("liveness", 32).onWrite(this::invert);
    private final Register factorial = file.register("factorial", 32).onWrite(v -> startFactorial());
    private final Register status =
            file.register("status", 32).bits("computing", 0, 1, Access.READ_ONLY).bits("interrupt", 7);
    private final Register interrupts = file.register("interrupts", 32).readOnly();
    private final Register raise = file.register("raise", 32).derived().onWrite(v -> interrupt(interrupts.value() | v));
    private final Register acknowledge =
            file.register("acknowledge", 32).derived().onWrite(v -> interrupt(interrupts.value() & ~v));
    private final Register source = file.register("dma.source", 64);
    private final Register destination = file.register("dma.destination", 64);
    private final Register count = file.register("dma.count", 64);
    private final Register command = file.register("dma.command", 64)
            .bits("run", 0)
            .bits("to_memory", 1)
            .bits("interrupt", 2)
            .onWrite(this::startDma);
    private final RegisterBank regs = new RegisterBank(file, LENGTH)
            .readAt(0x00, identification)
            .at(0x04, liveness)
            .at(0x08, factorial)
            .at(0x20, status)
            .readAt(0x24, interrupts)
            .writeAt(0x60, raise)
            .writeAt(0x64, acknowledge)
            .at(0x80, source)
            .at(0x88, destination)
            .at(0x90, count)
            .at(0x98, command);
    private final Field computing = status.field("computing");
    private final Field interruptWhenComputed = status.field("interrupt");
    private final Field run = command.field("run");
    private final Field toMemory = command.field("to_memory");
    private final Field interruptWhenMoved = command.field("interrupt");
    private final byte[] buffer = new byte[BUFFER_SIZE];

    private DeviceContext context;
    private IrqLine irq;
    private VmTimer factorialTimer;
    private VmTimer dmaTimer;
    private long dmaMask;

    @Override
    public void attach(DeviceContext c) {
        context = c;
        dmaMask = c.number("dma_mask");
        irq = c.irq("irq");
        factorialTimer = c.timer("factorial", this::finishFactorial);
        dmaTimer = c.timer("dma", this::finishDma);
        for (Register r : new Register[] {source, destination, count}) r.onWrite(v -> keepWhileRunning(r));
        c.claimMmio("regs", 4 | 8, regs);
    }

    private void invert(long v) {
        liveness.set(~v);
    }

    private void interrupt(long status) {
        interrupts.set(status);
        irq.set(status != 0);
    }

    // ---- factorial ----

    private void startFactorial() {
        if (computing.isSet()) {
            factorial.set(factorial.before());
            return;
        }
        computing.set(true);
        factorialTimer.arm(context.clock().nanos() + WORK_NANOS);
    }

    private void finishFactorial() {
        factorial.set(factorialOf(factorial.intValue()));
        computing.set(false);
        if (interruptWhenComputed.isSet()) interrupt(interrupts.value() | FACTORIAL_DONE);
    }

    /** n! modulo 2^32, n unsigned. From 34 on it is 0: there are 32 twos among the factors. */
    static int factorialOf(int n) {
        int product = 1;
        for (int i = n; i != 0 && product != 0; i--) product *= i;
        return product;
    }

    // ---- DMA ----

    private void keepWhileRunning(Register r) {
        if (run.isSet()) r.set(r.before());
    }

    /** Only a write with the run bit counts, and only when no transfer is under way. */
    private void startDma(long v) {
        boolean running = run.of(command.before()) != 0;
        if (running || run.of(v) == 0) command.set(command.before());
        else dmaTimer.arm(context.clock().nanos() + WORK_NANOS);
    }

    private void finishDma() {
        long inBuffer = (toMemory.isSet() ? source : destination).value() - BUFFER;
        long length = count.value();
        if (inBuffer < 0 || length < 0 || inBuffer > BUFFER_SIZE - length) {
            context.log(String.format("edu: nothing moved: %d bytes at 0x%x are not within the buffer", length, inBuffer + BUFFER));
        } else if (toMemory.isSet()) {
            context.memory().write(destination.value() & dmaMask, buffer, (int) inBuffer, (int) length);
        } else {
            context.memory().read(source.value() & dmaMask, buffer, (int) inBuffer, (int) length);
        }
        run.set(false);
        if (interruptWhenMoved.isSet()) interrupt(interrupts.value() | DMA_DONE);
    }

    // ---- life ----

    @Override
    public void reset() {
        file.reset();
        Arrays.fill(buffer, (byte) 0);
        factorialTimer.cancel();
        dmaTimer.cancel();
        irq.set(false);
    }

    @Override
    public void save(CardState state) {
        file.save(state);
        state.put("buffer", buffer);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        Arrays.fill(buffer, (byte) 0);
        state.getBytesInto("buffer", buffer);
        irq.set(interrupts.value() != 0);
        restartIfLost(factorialTimer, computing);
        restartIfLost(dmaTimer, run);
    }

    private void restartIfLost(VmTimer timer, Field busy) {
        if (busy.isSet() && !timer.armed()) timer.arm(context.clock().nanos() + WORK_NANOS);
    }
}
