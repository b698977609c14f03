import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use as register, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/forecast";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { toChartSeries, type ForecastDay } from "./chartSeries";

register([
  BarChart,
  LineChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  AriaComponent,
  CanvasRenderer,
]);

const COLORS = ["#d4a017", "#1f5fd6", "#d4380d", "#389e0d"];

/** The days of the forecast as a chart. It is a file of its own; the table beside it has the same values. */
export default function ForecastChart({ days }: { readonly days: readonly ForecastDay[] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  useEffect(() => {
    if (!element.current) return;
    const drawn = init(element.current);
    chart.current = drawn;
    const observer = new ResizeObserver(() => {
      drawn.resize();
    });
    observer.observe(element.current);
    return () => {
      observer.disconnect();
      drawn.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const { chart: names } = texts;
    const series = toChartSeries(days);
    const money = (value: unknown) => format.money(Number(value).toFixed(2));
    const bar = (name: string, data: number[]) => ({ type: "bar" as const, stack: "due", name, data });
    chart.current?.setOption({
      color: COLORS,
      aria: { enabled: true },
      grid: { left: 12, right: 12, top: 64, bottom: 8, containLabel: true },
      legend: { top: 0 },
      // A tooltip of HTML would need inline styles, which the page's policy refuses.
      tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: money, confine: true },
      xAxis: { type: "category", data: series.days },
      yAxis: [
        { type: "value", name: names.due },
        { type: "value", name: names.balance, splitLine: { show: false } },
      ],
      series: [
        bar(names.byVouchers, series.byVouchers),
        bar(names.byBalance, series.byBalance),
        bar(names.unpaid, series.unpaid),
        {
          type: "line",
          name: names.balance,
          data: series.balances,
          yAxisIndex: 1,
          step: "end",
          showSymbol: false,
        },
      ],
    });
  }, [days, texts, format]);
  return <div ref={element} className="forecast-chart" role="img" aria-label={texts.chart.title} />;
}
