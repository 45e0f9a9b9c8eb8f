package com.example.gpio;

import java.util.concurrent.CompletableFuture;

/**
 * A front panel as the shell sees it. Any thread may call; the buttons are numbered from 0. They move on the machine's thread, a moment later, which
 * the future tells. It never completes if the card is swapped out in between.
 */
interface Panel {
    String name();

    /** What there is to see: see {@link #lit} and {@link #down}. */
    int view();

    /** Pushes a button and lets go of it after a moment of the VM's time. */
    CompletableFuture<Void> press(int button);

    /** Pushes a button and keeps it down. */
    CompletableFuture<Void> hold(int button);

    CompletableFuture<Void> release(int button);

    /** Puts LEDs and buttons, a bit each, into one word. */
    static int view(int lit, int down) {
        return lit | down << Gpio.PINS;
    }

    static boolean lit(int view, int led) {
        return (view >> led & 1) != 0;
    }

    static boolean down(int view, int button) {
        return (view >> Gpio.PINS + button & 1) != 0;
    }
}
