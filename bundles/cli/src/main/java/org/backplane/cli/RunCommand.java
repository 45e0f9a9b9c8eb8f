package org.backplane.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.ToIntFunction;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.cli.RunOptions.BadUsage;
import org.backplane.cli.RunOptions.Display;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code backplane run}: one machine without the shell. The launcher calls it with the arguments and ends with the status that it answers: that of the
 * guest, 124 after a time-out, 2 for a request that makes no sense.
 */
@Component(service = ToIntFunction.class, property = "org.backplane.command=run")
public final class RunCommand implements ToIntFunction<String[]> {
    private static final int BAD_USAGE = 2, TIMED_OUT = 124;

    private final Machines machines;
    private final BundleContext context;
    private final PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private final PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    private volatile Machine running;

    @Activate
    public RunCommand(@Reference Machines machines, BundleContext context) {
        this.machines = machines;
        this.context = context;
    }

    @Override
    public int applyAsInt(String[] args) {
        try {
            RunOptions o = RunOptions.parse(args, machineFiles());
            installBundles(o);
            if (o.help.isPresent()) {
                out.print(new HelpLists(machines, machineFiles()).text(o.help.get()));
                return 0;
            }
            return run(o);
        } catch (BadUsage | BoardException e) {
            err.println("backplane: " + e.getMessage());
            return BAD_USAGE;
        }
    }

    private Path machineFiles() {
        String home = context.getProperty("backplane.home");
        return Path.of(home == null ? "." : home, "machines");
    }

    private void installBundles(RunOptions o) throws BadUsage {
        for (Path file : o.bundles) {
            RunOptions.requireFile("bundle", file);
            try {
                Bundle b = context.installBundle("reference:" + file.toAbsolutePath().toUri());
                if (b.getSymbolicName() == null) throw new BadUsage("bundle: " + file + " is no OSGi bundle: it has no symbolic name");
                b.start();
            } catch (BundleException e) {
                String why = e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
                throw new BadUsage("bundle: " + file + " cannot be started: " + why);
            }
        }
    }

    private int run(RunOptions o) throws BoardException {
        List<String> serial = o.machine.computeIfAbsent("serial", k -> new ArrayList<>(List.of("stdio")));
        int stdio = serial.indexOf("stdio");
        if (stdio != serial.lastIndexOf("stdio")) throw new BoardException("serial: stdio is given more than once");
        Machine machine = machines.create("vm", o.machine);
        running = machine;
        Machine.End end = null;
        try (Terminal terminal = Terminal.raw(!o.nographic);
                SerialTerminal console = stdio < 0 ? null : new SerialTerminal(machine, "com" + (stdio + 1), o.nographic);
                TextScreen screen = o.display == Display.TEXT && !o.nographic ? new TextScreen(machine, out) : null) {
            if (screen != null && console == null) readKeys(screen);
            machine.start();
            end = await(machine, o.timeoutSeconds);
        } finally {
            if (end == null && machine.state() != Machine.State.ENDED) machine.stop();
            running = null;
        }
        if (!end.report().isEmpty()) err.println(end.report());
        else if (end.status() == TIMED_OUT) err.println("backplane: " + end.reason());
        if (o.stats) for (Map.Entry<String, String> e : machine.stats().entrySet()) err.println(e.getKey() + ": " + e.getValue());
        return end.status();
    }

    private static Machine.End await(Machine machine, double seconds) {
        try {
            if (Double.isInfinite(seconds)) return machine.ended().join();
            return machine.ended().get((long) (seconds * 1e9), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            String where = where(machine.cpu(0));
            machine.stop();
            return new Machine.End(TIMED_OUT, "timeout after " + seconds + " s, " + where, "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            machine.stop();
            return new Machine.End(0, "interrupted", "");
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    /** What the guest was doing, for whoever wonders why it did not come to an end. */
    private static String where(CpuState s) {
        return String.format(
                "the guest was at %04x:%08x (cpl %d, %s%s)",
                s.segSel[CpuState.CS],
                s.rip,
                s.cpl,
                s.interruptsEnabled() ? "interrupts on" : "interrupts off",
                s.activity == CpuState.HLT ? ", halted" : "");
    }

    private static void readKeys(TextScreen screen) {
        Thread t = new Thread(() -> {
            try (FileInputStream in = new FileInputStream(FileDescriptor.in)) {
                byte[] buffer = new byte[256];
                for (int n = in.read(buffer); n > 0; n = in.read(buffer)) screen.type(Arrays.copyOf(buffer, n));
            } catch (IOException e) {
                // Standard input is gone; nobody types any more.
            }
        }, "keyboard-input");
        t.setDaemon(true);
        t.start();
    }

    /** The process ends: the machine first. */
    @Deactivate
    void stop() {
        Machine m = running;
        if (m != null) m.stop();
    }
}
