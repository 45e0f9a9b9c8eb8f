package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.ShellPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands of docs/shadow-paging.md on Linux do and show what the page says. */
@NeedsGuests
@Tag("full")
@InContainer
class ShadowPagingPageGuestIT {
    @AfterEach
    void stop() {
        for (Machine m : Osgi.service(Machines.class).list()) m.stop();
    }

    @Test
    void thePageHoldsForLinux() throws Exception {
        Osgi.await("the shell's commands", () -> Osgi.context().getServiceReferences((String) null, "(osgi.command.scope=mmu)") != null);
        ShellPage page = new ShellPage(Path.of("..", "docs", "shadow-paging.md"));
        int commands = page.run("linux", DebianFiles::inPlace, Path.of("target", "pages", "shadow-paging-linux.txt"));
        assertTrue(commands > 20, () -> commands + " commands");
    }
}
