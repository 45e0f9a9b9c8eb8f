package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.Machine.SwapReport;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/**
 * While Linux prints numbered lines and paints the screen, every card it uses is replaced, in place and side by side, each time by a bundle of
 * another version. Not a character may be lost, doubled or wrong, and afterwards every card must still do its work.
 */
@NeedsGuests
@InContainer
class SwapUnderLinuxIT {
    private static final Duration BOOT = Duration.ofMinutes(10);
    private static final Duration LINES = Duration.ofMinutes(20);
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Bundles are updated in place to the first of these; the second is installed beside them. */
    private static final String UPDATED = "1000.1.0", BESIDE = "1000.2.0";

    /** A swap that comes at a bad moment is what this looks for, so each card has a few of them. */
    private static final int TIMES_BACK_AND_FORTH = 5;

    @TempDir
    Path directory;

    private ContainerGuest guest;
    private int count;

    @Test
    void noCharacterIsLostWhileEveryCardIsReplaced() throws Exception {
        replaceEverythingWhileLinuxPrints("swap", 16_000);
    }

    /** 10.6 MB on the serial line. */
    @Tag("full")
    @Test
    void noCharacterOfTenMegabytesIsLostWhileEveryCardIsReplaced() throws Exception {
        replaceEverythingWhileLinuxPrints("swap-full", 85_000);
    }

    @AfterEach
    void putTheDistributionsBundlesBack() throws BundleException {
        for (Bundle b : Osgi.ownBundles()) {
            if (b.getVersion().toString().equals(BESIDE)) b.uninstall();
            else if (b.getVersion().toString().equals(UPDATED)) OtherVersion.restore(b);
        }
    }

    private void replaceEverythingWhileLinuxPrints(String name, int lines) throws Exception {
        count = lines;
        Path debug = directory.resolve("debugcon");
        String commandLine = "console=ttyS0" + DebianFiles.QUICK + " backplane.keep backplane.test=lines:" + lines;
        try (ContainerGuest started = ContainerGuest.debian(name, commandLine, Map.of("debugcon", "file:" + debug))) {
            guest = started;
            guest.serial().expect("BACKPLANE-GUEST-READY", BOOT);
            guest.serial().expect("\r\n", SOON);
            int begin = guest.serial().count();
            List<Step> steps = steps();
            for (int i = 0; i < steps.size(); i++) {
                awaitLine(begin, (i + 1) * (lines / (steps.size() + 2)));
                steps.get(i).run();
                assertEquals(Machine.State.RUNNING, guest.machine().state(), () -> guest.machine().stateDetail());
            }
            int printedSoFar = guest.serial().count() - begin;
            assertTrue(printedSoFar < lines * NumberedLines.LENGTH, "the guest printed faster than cards were replaced: it needs more lines");
            String printed = guest.serial().expect("LINES-DONE " + lines + "\r\n", LINES);
            NumberedLines.assertComplete(lines, printed);
            CardsAtWork.assertScreen(guest, count);
            GuestShell shell = new GuestShell(guest.serial());
            noTypedCharacterIsLost(shell);
            CardsAtWork.assertAllWork(guest, shell, debug);
        }
    }

    private interface Step {
        void run() throws BoardException;
    }

    private List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        Map<String, String> devices = Map.of(
                "com1", "dev-serial",
                "vga", "dev-vga",
                "pit", "dev-pit",
                "pic", "irqchip",
                "rtc", "dev-rtc",
                "i8042", "dev-i8042",
                "acpi", "dev-acpi",
                "debugcon", "dev-debug");
        for (String slot : new TreeSet<>(devices.keySet())) {
            steps.add(() -> update(slot, devices.get(slot)));
            steps.add(() -> swapBeside(slot, devices.get(slot), guest.slot(slot).type()));
        }
        steps.add(() -> update("mmu", "direct-mmu"));
        steps.add(() -> swap("mmu", "shadow", "shadow", version("shadow-mmu")));
        steps.add(() -> update("mmu", "shadow-mmu"));
        steps.add(() -> swapBeside("mmu", "shadow-mmu", "shadow"));
        steps.add(() -> swapBeside("mmu", "direct-mmu", "direct"));
        steps.add(() -> update("emulator", "x86-emulate"));
        steps.add(() -> swapBeside("emulator", "x86-emulate", guest.slot("emulator").type()));
        steps.add(() -> update("cpu-backend", "vmx"));
        steps.add(() -> swapBeside("cpu-backend", "vmx", guest.slot("cpu-backend").type()));
        return steps;
    }

    /** Waits until the guest is at this line. */
    private void awaitLine(int begin, int line) throws InterruptedException {
        long limit = System.nanoTime() + LINES.toNanos();
        while (guest.serial().count() - begin < line * NumberedLines.LENGTH) {
            assertEquals(Machine.State.RUNNING, guest.machine().state(), () -> guest.machine().stateDetail());
            assertTrue(System.nanoTime() < limit, "the guest does not come to line " + line);
            Thread.sleep(2);
        }
    }

    private void update(String slot, String bundle) {
        assertEquals(version(bundle), guest.slot(slot).version(), slot);
        OtherVersion.update(Osgi.bundle("org.backplane." + bundle), UPDATED);
        assertCard(slot, guest.slot(slot).type(), UPDATED, "org.backplane." + bundle);
    }

    private static String version(String bundle) {
        return Osgi.bundle("org.backplane." + bundle).getVersion().toString();
    }

    private void swapBeside(String slot, String bundle, String type) throws BoardException {
        Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane." + bundle), BESIDE);
        swap(slot, type + "@" + BESIDE, type, BESIDE);
        assertEquals(other.getSymbolicName(), guest.slot(slot).bundle());
        for (int i = 0; i < TIMES_BACK_AND_FORTH; i++) {
            swap(slot, type + "@" + UPDATED, type, UPDATED);
            swap(slot, type + "@" + BESIDE, type, BESIDE);
        }
    }

    private void swap(String slot, String target, String type, String version) throws BoardException {
        String before = guest.slot(slot).version();
        SwapReport report = guest.machine().swap(slot, target);
        assertTrue(report.from().contains("@" + before) && report.to().contains(type + "@" + version), report.toString());
        assertCard(slot, type, version, guest.slot(slot).bundle());
    }

    private void assertCard(String slot, String type, String version, String bundle) {
        SlotInfo s = guest.slot(slot);
        assertEquals(
                slot + " " + type + "@" + version + " of " + bundle + " active",
                s.slot() + " " + s.type() + "@" + s.version() + " of " + s.bundle() + " " + s.state());
    }

    /** The other direction: input waits in the card and behind it while the card is replaced. */
    private void noTypedCharacterIsLost(GuestShell shell) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        shell.start("stty -echo; head -c 2000 | md5sum; stty echo");
        for (int i = 0; i < 20; i++) {
            String typed = NumberedLines.line(i).substring(0, 99) + "\n";
            digest.update(typed.getBytes(StandardCharsets.US_ASCII));
            guest.serial().send(typed);
            swap("com1", "serial@" + (i % 2 == 0 ? UPDATED : BESIDE), "serial", i % 2 == 0 ? UPDATED : BESIDE);
        }
        String sum = guest.serial().expect("  -\r\n", SOON);
        assertEquals(HexFormat.of().formatHex(digest.digest()), sum.substring(sum.length() - 32));
        guest.serial().expect(GuestShell.PROMPT, SOON);
    }
}
