package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.ShellPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The commands of docs/shadow-paging.md on the demonstration guest do and show what the page says. */
@InContainer
class ShadowPagingPageIT {
    @AfterEach
    void stop() {
        for (Machine m : Osgi.service(Machines.class).list()) m.stop();
    }

    @Test
    void thePageHoldsForTheDemonstrationGuest() throws Exception {
        Osgi.await("the shell's commands", () -> Osgi.context().getServiceReferences((String) null, "(osgi.command.scope=mmu)") != null);
        Osgi.await("the demonstration floppy", () -> Osgi.service(Machines.class).cardTypes().stream().anyMatch(c -> c.kind().equals("image")));
        ShellPage page = new ShellPage(Path.of("..", "docs", "shadow-paging.md"));
        int commands = page.run("demo", UnaryOperator.identity(), Path.of("target", "pages", "shadow-paging-demo.txt"));
        assertTrue(commands > 20, () -> commands + " commands");
    }
}
