package org.backplane.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.ToIntFunction;
import org.backplane.board.api.Machines;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code backplane card new NAME}: makes a project for a card, without Maven, from what is in the distribution. Status 0, or 2 after one line that says
 * why not.
 */
@Component(service = ToIntFunction.class, property = "org.backplane.command=card")
public final class CardCommand implements ToIntFunction<String[]> {
    private static final int BAD_USAGE = 2;
    private static final String USAGE = "usage: backplane card new NAME [-group GROUP]";
    private static final String GROUP = "com.example";

    private final Machines machines;
    private final BundleContext context;
    private final PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private final PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

    @Activate
    public CardCommand(@Reference Machines machines, BundleContext context) {
        this.machines = machines;
        this.context = context;
    }

    @Override
    public int applyAsInt(String[] args) {
        boolean grouped = args.length == 4 && args[2].equals("-group");
        if (args.length < 2 || !args[0].equals("new") || args.length > 2 && !grouped) {
            err.println(USAGE);
            return BAD_USAGE;
        }
        try {
            create(args[1], grouped ? args[3] : GROUP);
            return 0;
        } catch (CardProject.Refused | IOException e) {
            err.println("backplane: card new: " + (e instanceof IOException ? "cannot write: " : "") + e.getMessage());
            return BAD_USAGE;
        }
    }

    private void create(String name, String group) throws CardProject.Refused, IOException {
        CardProject project = CardProject.of(name, group);
        if (machines.cardTypes().stream().anyMatch(t -> t.type().equals(name))) {
            throw new CardProject.Refused("Backplane has a card '" + name + "' of its own");
        }
        Path home = Path.of(context.getProperty("backplane.home"));
        Path directory = Path.of(name).toAbsolutePath();
        project.create(home, directory);
        out.print("""
                The card's project is in %s

                    cd %s
                    mvn package                 builds the bundle and tests it
                    mvn -q package -Pdeploy     the same, and copies it into %s

                README.md in it tells more, DEVICE-GUIDE.md of Backplane all.
                """.formatted(directory, name, home.resolve("deploy")));
        if (home.toString().chars().anyMatch(Character::isWhitespace)) {
            out.println("Backplane's path has a space: Maven must be 3.9 or later to read .mvn/maven.config.");
        }
    }
}
