package org.backplane.shell;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.Function;
import org.backplane.board.api.Machine;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code vm:wait}. A {@link Function}, unlike the other commands: Gogo looks for a method of the command's name and would find {@link Object#wait()}.
 */
@Component(service = WaitCommand.class, property = {"osgi.command.scope=vm", "osgi.command.function=wait"})
public final class WaitCommand implements Function {
    private static final String WAIT = "[MACHINE] [SECONDS]";

    private final MachineDirectory directory;

    @Activate
    public WaitCommand(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Override
    public Object execute(CommandSession session, List<Object> arguments) throws InterruptedException {
        wait(session, arguments.stream().map(String::valueOf).toArray(String[]::new));
        return null;
    }

    @Descriptor("waits until a machine has ended; fails if that takes longer or an error ended it")
    public void wait(CommandSession session, @Descriptor(WAIT) String[] args) throws InterruptedException {
        Arguments a = new Arguments("vm:wait", WAIT, args);
        boolean named = a.left() > 0 && !(a.left() == 1 && isTime(a.peek()) && !known(a.peek()));
        String name = named ? a.take() : currentName(session);
        double seconds = a.left() > 0 ? Arguments.seconds(a.take()) : Double.POSITIVE_INFINITY;
        a.end();
        Optional<MachineDirectory.Gone> gone = directory.gone(name);
        Machine.End end = gone.isPresent() ? gone.get().end() : await(directory.named(name), seconds);
        if (!end.report().isEmpty()) {
            System.out.println(end.report());
            throw new CommandException(name + " was ended: " + end.reason());
        }
        System.out.println(name + " ended: " + end.reason() + " (status " + end.status() + ")");
    }

    private boolean known(String name) {
        return directory.machines().find(name).isPresent() || directory.gone(name).isPresent();
    }

    private static boolean isTime(String text) {
        return text.matches("[0-9.]+");
    }

    /** The one this session chose is meant also when it has ended meanwhile. */
    private String currentName(CommandSession session) {
        Object chosen = session.get(MachineDirectory.CURRENT);
        return chosen != null && known(chosen.toString()) ? chosen.toString() : directory.current(session).name();
    }

    private static Machine.End await(Machine m, double seconds) throws InterruptedException {
        try {
            return seconds == Double.POSITIVE_INFINITY ? m.ended().get() : m.ended().get((long) (seconds * 1000), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new CommandException(m.name() + " has not ended in " + Units.seconds(seconds));
        } catch (ExecutionException e) {
            throw new CommandException(m.name() + ": " + e.getCause(), e.getCause());
        }
    }
}
