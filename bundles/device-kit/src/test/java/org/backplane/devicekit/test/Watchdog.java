package org.backplane.devicekit.test;

import java.util.List;
import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.CharPort;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IrqLine;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.StateException;
import org.backplane.kvm.spi.device.VmTimer;

/** A small device for testing the kit: counts down, then raises its line and says so. It can be given one flaw that the contract must find. */
final class Watchdog implements Device {
    enum Flaw {
        NONE,
        RAISES_IN_ATTACH,
        RESET_COUNTS,
        RESET_LEAVES_LINE,
        SAVE_HAS_EFFECT,
        LOAD_FORGETS_A_VALUE,
        LOAD_FORGETS_THE_LINE,
        LOAD_REFUSES_ABSENT,
        LOAD_TAKES_WRONG_TYPE,
        RESUME_CHANGES_STATE,
        SHARES_STATE,
        SAVES_NOTHING_NEW,
        BREAKS_AFTER_DETACH
    }

    record Factory(Flaw flaw, int[] shared) implements DeviceFactory {
        Factory(Flaw flaw) {
            this(flaw, new int[1]);
        }

        @Override
        public String type() {
            return "watchdog";
        }

        @Override
        public String description() {
            return "counts down, then raises its line";
        }

        @Override
        public List<Resource> resources() {
            return List.of(Resource.ports("regs", 0x300, 4), Resource.irq("irq", 5), Resource.character("log"));
        }

        @Override
        public Device create() {
            return new Watchdog(flaw, shared);
        }
    }

    private final Flaw flaw;
    private final int[] shared;
    private final RegisterFile file = new RegisterFile("watchdog");
    private final Register control = file.register("control", 8)
            .bits("enable", 0)
            .bits("fired", 1, 1, Access.WRITE_ONE_TO_CLEAR)
            .onWrite(v -> written());
    private final Register limit = file.register("limit", 16).resetValue(1000);
    private final Field enable = control.field("enable");
    private final Field fired = control.field("fired");
    private final RegisterBank regs = new RegisterBank(file, 4).at(0, control).at(2, limit);
    private DeviceContext context;
    private IrqLine irq;
    private VmTimer timer;
    private CharPort log;
    private int resets;
    private int saves;
    private int resumes;
    private boolean detached;

    private Watchdog(Flaw flaw, int[] shared) {
        this.flaw = flaw;
        this.shared = shared;
    }

    @Override
    public void attach(DeviceContext c) {
        context = c;
        file.attach(c);
        irq = c.irq("irq");
        timer = c.timer("limit", this::fire);
        log = c.character("log");
        c.claimPorts("regs", 1 | 2, regs);
        if (flaw == Flaw.RAISES_IN_ATTACH) irq.set(true);
    }

    private void written() {
        if (detached && flaw == Flaw.BREAKS_AFTER_DETACH) throw new NullPointerException();
        if (flaw == Flaw.SHARES_STATE) shared[0]++;
        if (enable.isSet()) timer.arm(context.clock().nanos() + limit.value() * 1000);
        else timer.cancel();
        irq.set(fired.isSet());
    }

    private void fire() {
        fired.set(true);
        irq.set(true);
        log.write('!');
    }

    @Override
    public void reset() {
        file.reset();
        resets++;
        timer.cancel();
        if (flaw != Flaw.RESET_LEAVES_LINE) irq.set(false);
    }

    @Override
    public void save(CardState state) {
        if (flaw == Flaw.SAVES_NOTHING_NEW) return;
        file.save(state);
        if (flaw == Flaw.SAVE_HAS_EFFECT) state.put("saves", saves++);
        if (flaw == Flaw.RESET_COUNTS) state.put("resets", resets);
        if (flaw == Flaw.RESUME_CHANGES_STATE) state.put("resumes", resumes);
        if (flaw == Flaw.SHARES_STATE) state.put("shared", shared[0]);
    }

    @Override
    public void load(CardState state) throws StateException {
        if (flaw == Flaw.LOAD_REFUSES_ABSENT && !state.has("limit")) throw new StateException("watchdog: no limit");
        if (flaw == Flaw.LOAD_TAKES_WRONG_TYPE && state.values().get("limit") instanceof String) return;
        file.load(state);
        if (flaw == Flaw.LOAD_FORGETS_A_VALUE) limit.set(1000);
        if (flaw != Flaw.LOAD_FORGETS_THE_LINE) irq.set(fired.isSet());
    }

    @Override
    public void resume() {
        resumes++;
    }

    @Override
    public void detach() {
        detached = true;
    }
}
