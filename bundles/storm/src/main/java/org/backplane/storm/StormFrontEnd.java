package org.backplane.storm;

import java.util.Optional;
import java.util.Set;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFrontEnd;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * Starts storms: because a machine's options say so, as soon as it runs, or by command. One at a time, for an update in place concerns all machines of the
 * container. A storm ends with its count, with its machine, or with this bundle.
 */
@Component(service = {MachineFrontEnd.class, StormFrontEnd.class}, immediate = true)
public final class StormFrontEnd implements MachineFrontEnd {
    private static final long PATIENCE_MILLIS = 10_000;

    private final BundleContext context;
    private Storm storm;
    private Thread thread;

    @Activate
    public StormFrontEnd(BundleContext context) {
        this.context = context;
    }

    @Override
    public Set<String> options() {
        return Set.of("storm");
    }

    @Override
    public void attach(Machine machine) throws BoardException {
        start(machine, machine.config().get("storm").getFirst());
    }

    /** @param plan see {@link StormPlan} */
    synchronized Storm start(Machine machine, String plan) throws BoardException {
        if (storm != null && !storm.over()) throw new BoardException("storm: there is one already, on machine " + storm.machine().name());
        Storm s = new Storm(machine, StormPlan.parse(plan, machine.slots()), context);
        machine.addStats(s::lines);
        storm = s;
        thread = new Thread(s, "storm-" + machine.name());
        thread.setDaemon(true);
        thread.start();
        machine.ended().thenRun(() -> forget(s));
        return s;
    }

    /** A machine that has ended is not kept; its storm ends by itself, and {@link #stop} can still wait for that. */
    private synchronized void forget(Storm s) {
        if (storm == s) storm = null;
    }

    /** The machine's storm that was started last, also if it is over. */
    synchronized Optional<Storm> of(Machine machine) {
        return Optional.ofNullable(storm).filter(s -> s.machine() == machine);
    }

    @Deactivate
    void stop() throws InterruptedException {
        Thread last;
        synchronized (this) {
            if (storm != null) storm.stop();
            if (thread == null) return;
            last = thread;
        }
        last.join(PATIENCE_MILLIS);
    }
}
