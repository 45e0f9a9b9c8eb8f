package com.example.gpio;

import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;

/** {@code panel:show}, {@code panel:press} and so on, for Gogo. */
public final class PanelCommands {
    private final Panels panels;

    PanelCommands(Panels panels) {
        this.panels = panels;
    }

    @Descriptor("shows LEDs and buttons, of one panel or of all")
    public void show(CommandSession session, @Descriptor("[PANEL]") String[] args) {
        if (args.length > 1) throw new IllegalArgumentException("usage: panel:show [PANEL]");
        List<Panel> shown = args.length == 0 ? panels.all() : List.of(panels.find(args[0]));
        for (Panel p : shown) print(p, session.getConsole());
    }

    @Descriptor("presses a button and lets it go")
    public void press(CommandSession session, @Descriptor("[PANEL] BUTTON") String[] args) {
        await(panel("press", args).press(button(args)));
    }

    @Descriptor("presses a button and keeps it down")
    public void hold(CommandSession session, @Descriptor("[PANEL] BUTTON") String[] args) {
        await(panel("hold", args).hold(button(args)));
    }

    @Descriptor("lets a button go")
    public void release(CommandSession session, @Descriptor("[PANEL] BUTTON") String[] args) {
        await(panel("release", args).release(button(args)));
    }

    private Panel panel(String command, String[] args) {
        if (args.length < 1 || args.length > 2) throw new IllegalArgumentException("usage: panel:" + command + " [PANEL] BUTTON");
        return panels.find(args.length == 1 ? null : args[0]);
    }

    private static int button(String[] args) {
        String text = args[args.length - 1];
        if (!text.matches("[0-7]")) throw new IllegalArgumentException("'" + text + "' is no button from 0 to 7");
        return Integer.parseInt(text);
    }

    /** A machine that runs moves the button within milliseconds. */
    private static void await(CompletableFuture<Void> moved) {
        try {
            moved.get(1, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new IllegalArgumentException("the machine does not run: the button moves when it goes on");
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Pin 7 is on the left, as in a binary number. */
    private static void print(Panel p, PrintStream out) {
        int view = p.view();
        StringBuilder numbers = new StringBuilder(), leds = new StringBuilder(), buttons = new StringBuilder();
        for (int i = Gpio.PINS - 1; i >= 0; i--) {
            numbers.append(' ').append(i);
            leds.append(' ').append(Panel.lit(view, i) ? '*' : '.');
            buttons.append(' ').append(Panel.down(view, i) ? '#' : '.');
        }
        out.printf("%-12s%s%n%-12s%s%n%-12s%s%n", p.name(), numbers, "  A LEDs", leds, "  B buttons", buttons);
    }
}
