package org.backplane.devrtc;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmClock;
import org.backplane.kvm.spi.device.VmTimer;

/**
 * An MC146818 (Motorola ADI850, "MC146818A Real-Time Clock plus RAM") with a PC's 128 bytes.
 *
 * <p><b>Time is a function.</b> The clock showed {@code epoch} seconds since 1970 at the virtual time {@code anchor}; every later second follows.
 * Setting the clock moves {@code epoch}, restarting the divider moves {@code anchor}. While SET or the divider reset stops it, the time
 * stands in CMOS memory as bytes. A byte of the time that is written while the clock runs sets the clock at once.
 *
 * <p><b>Flags are functions too.</b> {@link #sync} sets PF, AF and UF for what has happened since it was last called ({@code synced}), so a
 * guest that polls register C needs no timer. A timer runs only while an enabled interrupt waits for its flag and IRQF is low; so
 * periodic ticks that come before the guest has read register C melt into one, as on the chip.
 *
 * <p><b>Update cycle.</b> UIP is on for the last 2228 microseconds of a second (244 of warning, 1984 of update, table 6), and the new second is there
 * when it goes off. The bytes are valid throughout.
 *
 * <p><b>Reset</b> leaves time and memory alone (there is a battery) and clears interrupt enables, flags and the square wave (pin RESET). The weekday
 * follows from the date; a written one is lost when the clock runs on. The NMI mask is kept, and there is no NMI that it could hold.
 */
final class Rtc implements Device {
    private static final long SECOND = 1_000_000_000L;
    private static final long UPDATE_TIME = 2_228_000;
    private static final long NEVER = Long.MAX_VALUE;
    private static final long DAY_SECONDS = 86400;

    private static final int ALARM_SECONDS = 1;
    private static final int ALARM_MINUTES = 3;
    private static final int ALARM_HOURS = 5;

    private static final int A_UIP = 0x80;
    private static final int A_DIVIDER_RESET = 0x60;
    private static final int A_RATE = 0x0f;
    private static final int B_SET = 0x80;
    private static final int B_PIE = 0x40;
    private static final int B_AIE = 0x20;
    private static final int B_UIE = 0x10;
    private static final int B_SQWE = 0x08;
    private static final int B_DM = 0x04;
    private static final int B_24H = 0x02;
    private static final int C_IRQF = 0x80;
    private static final int C_PF = 0x40;
    private static final int C_AF = 0x20;
    private static final int C_UF = 0x10;
    private static final int C_FLAGS = C_PF | C_AF | C_UF;

    private final RegisterFile file = new RegisterFile("rtc");
    private final Register index = file.register("index", 8).bits("index", 0, 7).bits("nmi_mask", 7);
    private final RegisterArray cmos = file.array("cmos", 128, 8);
    private final Register a = file.register("a", 8)
            .bits("rate", 0, 4).bits("divider", 4, 3).bits("uip", 7, 1, Access.READ_ONLY)
            .resetValue(0x26).retained().onRead(this::readA).onWrite(v -> aWritten());
    private final Register b = file.register("b", 8)
            .bits("dse", 0, 1, Access.UNIMPLEMENTED).bits("hours24", 1).bits("dm", 2).bits("sqwe", 3)
            .bits("uie", 4).bits("aie", 5).bits("pie", 6).bits("set", 7)
            .resetValue(B_24H).retained().onWrite(v -> bWritten());
    private final Register c = file.register("c", 8)
            .bits("uf", 4, 1, Access.READ_TO_CLEAR).bits("af", 5, 1, Access.READ_TO_CLEAR)
            .bits("pf", 6, 1, Access.READ_TO_CLEAR).bits("irqf", 7, 1, Access.READ_TO_CLEAR)
            .onRead(this::readC).afterRead(this::acknowledged);
    private final Register d = file.register("d", 8).bits("vrt", 7, 1, Access.READ_ONLY).resetValue(0x80);
    private final Register epoch = file.register("epoch", 64).retained();
    private final Register anchor = file.register("anchor", 64).retained();
    private final Register synced = file.register("synced", 64).retained();

    private final RegisterBank space = new RegisterBank(file, 128).at(0, cmos).at(10, a).at(11, b).at(12, c).at(13, d);
    private final RegisterBank regs =
            new RegisterBank(file, 2).window(1, () -> index.intValue() & 0x7f, space).writeAt(0, index);

    private DeviceContext context;
    private IrqLine irq;
    private VmTimer timer;

    Rtc() {
        for (int i = 0; i < cmos.length(); i++) cmos.get(i).retained();
        for (int address : TimeFormat.ADDRESSES) {
            cmos.get(address).onRead(() -> readTime(address)).onWrite(v -> timeWritten(address, (int) v));
        }
        for (int address = ALARM_SECONDS; address <= ALARM_HOURS; address += 2) {
            Register alarm = cmos.get(address);
            alarm.onWrite(v -> afterSync(alarm));
        }
    }

    @Override
    public void attach(DeviceContext context) {
        this.context = context;
        file.attach(context);
        irq = context.irq("irq");
        timer = context.timer("event", () -> update(clock().nanos()));
        String floppy = context.property("floppy");
        if (!floppy.matches("[0-2]")) throw new IllegalArgumentException("rtc: floppy should be 0, 1 or 2, is " + floppy);
        CmosContents.fill(cmos, context.platform().ramSize(), floppy.charAt(0) - '0', context.platform().bootOrder());
        long base = clock().wallBaseMillis();
        epoch.set(Math.floorDiv(base, 1000));
        anchor.set(-Math.floorMod(base, 1000) * 1_000_000L);
        context.claimPorts("regs", 1, regs);
    }

    @Override
    public void reset() {
        file.reset();
        b.clearBits(B_PIE | B_AIE | B_UIE | B_SQWE);
        long now = clock().nanos();
        sync(now);
        c.set(0);
        irq.set(false);
        timer.cancel();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
        irq.set(c.test(C_IRQF));
        schedule(synced.value());
    }

    private VmClock clock() {
        return context.clock();
    }

    // ---- time ----

    private boolean dividerReset() {
        return (a.intValue() & A_DIVIDER_RESET) == A_DIVIDER_RESET;
    }

    private boolean stopped() {
        return b.test(B_SET) || dividerReset();
    }

    /** Seconds since 1970 that a running clock shows. */
    private long seconds(long now) {
        return epoch.value() + Math.floorDiv(now - anchor.value(), SECOND);
    }

    /** When a running clock shows this second first. */
    private long timeOf(long seconds) {
        return anchor.value() + (seconds - epoch.value()) * SECOND;
    }

    private TimeFormat format() {
        return new TimeFormat(b.test(B_DM), b.test(B_24H));
    }

    private long readTime(int address) {
        return stopped() ? cmos.value(address) : format().encode(seconds(clock().nanos()), address);
    }

    private void timeWritten(int address, int v) {
        if (stopped()) return;
        long now = clock().nanos();
        sync(now);
        freeze(now);
        cmos.set(address, v);
        thaw(now);
        update(now);
    }

    /** Puts the time into memory as bytes. */
    private void freeze(long now) {
        TimeFormat f = format();
        long s = seconds(now);
        for (int address : TimeFormat.ADDRESSES) cmos.set(address, f.encode(s, address));
    }

    /** The clock goes on from the bytes in memory, at the point of the second where the divider is. */
    private void thaw(long now) {
        int[] bytes = new int[cmos.length()];
        for (int address : TimeFormat.ADDRESSES) bytes[address] = cmos.value(address);
        long phase = Math.floorMod(now - anchor.value(), SECOND);
        epoch.set(format().decode(bytes));
        anchor.set(now - phase);
        synced.set(now);
    }

    // ---- registers A, B, C ----

    private long readA() {
        boolean updating = !stopped() && Math.floorMod(clock().nanos() - anchor.value(), SECOND) >= SECOND - UPDATE_TIME;
        return a.value() & ~A_UIP | (updating ? A_UIP : 0);
    }

    private void aWritten() {
        long now = afterSync(a);
        boolean wasReset = (a.before() & A_DIVIDER_RESET) == A_DIVIDER_RESET;
        if (!wasReset && dividerReset() && !b.test(B_SET)) {
            freezeWith(a, now);
        } else if (wasReset && !dividerReset()) {
            // The first update comes half a second after the divider is let go (ADI850, "Divider Control Bits").
            anchor.set(now - SECOND / 2);
            if (!b.test(B_SET)) thaw(now);
            synced.set(now);
        }
        update(now);
    }

    private void bWritten() {
        long now = afterSync(b);
        boolean wasSet = (b.before() & B_SET) != 0;
        if (!wasSet && b.test(B_SET)) {
            if (!dividerReset()) freezeWith(b, now);
            b.clearBits(B_UIE);
        } else if (wasSet && !b.test(B_SET) && !dividerReset()) {
            thaw(now);
        }
        update(now);
    }

    private long readC() {
        update(clock().nanos());
        return c.value();
    }

    /** The read took IRQF away, and the line falls, even if the next tick comes at this very moment: it needs an edge of its own. */
    private void acknowledged() {
        irq.set(false);
        update(clock().nanos());
    }

    /** A register was written that flags depend on: what happened until now happened under its old value. */
    private long afterSync(Register r) {
        long now = clock().nanos();
        long written = r.value();
        r.set(r.before());
        sync(now);
        r.set(written);
        update(now);
        return now;
    }

    /** The write of this register stops the clock: the bytes are in the format from before. */
    private void freezeWith(Register r, long now) {
        long written = r.value();
        r.set(r.before());
        freeze(now);
        r.set(written);
    }

    // ---- flags and interrupt ----

    /** Sets the flags of what has happened since the last call. */
    private void sync(long now) {
        long since = synced.value();
        synced.set(now);
        if (!stopped()) {
            long before = seconds(since);
            long after = seconds(now);
            if (after > before) c.setBits(C_UF);
            if (after > before && nextAlarm(before) <= after) c.setBits(C_AF);
        }
        if (nextPeriodic(since) <= now) c.setBits(C_PF);
    }

    /** Brings flags, IRQF, line and timer up to date. */
    private void update(long now) {
        sync(now);
        boolean request = (c.value() & b.value() & C_FLAGS) != 0;
        if (request != c.test(C_IRQF)) {
            if (request) c.setBits(C_IRQF);
            else c.clearBits(C_IRQF);
        }
        irq.set(request);
        schedule(now);
    }

    private void schedule(long now) {
        long next = NEVER;
        if (!c.test(C_IRQF)) {
            if (b.test(B_PIE)) next = nextPeriodic(now);
            if (!stopped()) {
                if (b.test(B_UIE)) next = Math.min(next, timeOf(seconds(now) + 1));
                if (b.test(B_AIE)) next = Math.min(next, alarmTime(now));
            }
        }
        if (next == NEVER) timer.cancel();
        else timer.arm(next);
    }

    private long alarmTime(long now) {
        long s = nextAlarm(seconds(now));
        return s == NEVER ? NEVER : timeOf(s);
    }

    /** The first tick of the periodic interrupt after this time. Rates 1 and 2 are those of 8 and 9 (table 5, 32.768 kHz). */
    private long nextPeriodic(long after) {
        int rate = a.intValue() & A_RATE;
        if (rate == 0 || dividerReset()) return NEVER;
        long hz = 32768 >> (rate < 3 ? rate + 6 : rate - 1);
        long running = after - anchor.value();
        long whole = Math.floorDiv(running, SECOND);
        long ticks = Math.floorMod(running, SECOND) * hz / SECOND;
        return anchor.value() + whole * SECOND + VmClock.nanosOf(ticks + 1, hz);
    }

    /** The first second after this one that the alarm bytes match; a byte with both upper bits set matches everything. */
    private long nextAlarm(long after) {
        TimeFormat f = format();
        int sec = cmos.value(ALARM_SECONDS);
        int min = cmos.value(ALARM_MINUTES);
        int hour = cmos.value(ALARM_HOURS);
        long s = after + 1;
        while (s <= after + DAY_SECONDS) {
            int ofDay = (int) Math.floorMod(s, DAY_SECONDS);
            if (!matches(hour, f.hour(ofDay / 3600))) s += 3600 - ofDay % 3600;
            else if (!matches(min, f.number(ofDay / 60 % 60))) s += 60 - ofDay % 60;
            else if (!matches(sec, f.number(ofDay % 60))) s++;
            else return s;
        }
        return NEVER;
    }

    private static boolean matches(int alarm, int time) {
        return (alarm & 0xc0) == 0xc0 || alarm == time;
    }
}
